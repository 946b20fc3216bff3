//! What is logged of a chargeback.

use super::Share;
use crate::{
    gateway::DisputeReference,
    id::Subject,
    ledger::GatewayName,
    money::Money,
    party::PartyId,
    payment::{DebtId, PayinId, RefundId},
    text::Prose,
};
use serde::{Deserialize, Serialize};

/// What is settled when a chargeback is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What was paid for: the order or deal.
    pub about: Subject,
    /// The payin whose money it is.
    pub payin: PayinId,
    /// Who paid.
    pub payer: PartyId,
    /// The marketplace's own party.
    pub platform: PartyId,
    /// Under which name the gateway knows the dispute.
    pub reference: DisputeReference,
    /// Why, in the card network's words.
    pub reason: Prose,
    /// How much the card network took, above zero, in minor units.
    pub amount: Money,
    /// What the gateway charges for it besides, in minor units.
    pub fee: Money,
    /// How much of the amount came out of what was paid for, in minor units.
    pub held: Money,
    /// The refunds on their way to the payer for which it bears its part before anybody else, and how much for each, in minor
    /// units. No other chargeback is borne for the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<(RefundId, Money)>,
    /// Who bore the rest, and the fee.
    pub shares: Vec<Share>,
    /// Through which gateway.
    pub gateway: GatewayName,
}

/// What one share has back of a chargeback that was won. In minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Back {
    /// Whose share.
    pub party: PartyId,
    /// What was still owed for it, and is no longer.
    pub owed: Money,
    /// The debt that is lessened by it.
    pub debt: Option<DebtId>,
    /// What the party had paid of it by then, back into its wallet.
    pub wallet: Money,
    /// What the platform had written off and not recouped, back into the platform's wallet.
    pub written_off: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Won {
    pub(super) back: Vec<Back>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lost {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Accepted {}
