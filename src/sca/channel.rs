//! How a payer pays, which the exemptions depend on. Hosts know it by [`gateway`](crate::gateway), which imports this module.

use serde::{Deserialize, Serialize};

/// How a payer pays through a gateway (`001_146075c5300aa4f1.txt`, payin types).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A card, on the gateway's page (`ADDON`).
    Card,
    /// A bank transfer (`BANKWIRE`).
    BankWire,
}
