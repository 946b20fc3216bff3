//! What is logged of a payer's low values.

use crate::{
    ledger::GatewayName,
    money::{Currency, Money},
    party::PartyId,
    payment::PayinId,
    sca::LowValue,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Whose payins are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Who pays.
    pub payer: PartyId,
    /// Through which gateway.
    pub gateway: GatewayName,
    /// In which currency: that of the first payin.
    pub currency: Currency,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Counted {
    pub(super) payin: PayinId,
    pub(super) amount: Money,
    pub(super) limits: LowValue,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reset {
    pub(super) payin: PayinId,
    // When that payin was opened.
    pub(super) opened: Timestamp,
}
