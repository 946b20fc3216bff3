//! What is logged of a pledge.

use super::Proceeds;
use crate::payment::{self, Outgoing};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Collected {
    pub(super) paid: payment::Paid,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TurnedAway {
    pub(super) paid: payment::Paid,
    pub(super) refund: Outgoing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gathered {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Withdrawn {
    pub(super) refund: Outgoing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GivenBack {
    pub(super) refund: Outgoing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refunded {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cancelled {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Received {
    pub(super) proceeds: Proceeds,
}
