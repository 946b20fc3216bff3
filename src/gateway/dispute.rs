//! What a gateway says of a card payment that is charged back.

use crate::{
    id::Subject,
    money::Money,
    text::{Prose, Text},
};
use serde::{Deserialize, Serialize};

/// Under which name a gateway knows a dispute: 1 to 100 characters.
pub type DisputeReference = Text<100>;

/// What a gateway says of a card payment that is charged back: a webhook about a dispute, which tells all of it each time.
///
/// ```
/// use escrowed::gateway::{Dispute, DisputeStage};
///
/// let told: Dispute = serde_json::from_str(r#"{
///     "payin": "pi_01kr1hgnqred6999kp7cqmx8ss",
///     "reference": "dp_1",
///     "amount": {"amount": 10000, "currency": "EUR"},
///     "fee": {"amount": 1500, "currency": "EUR"},
///     "reason": "fraudulent",
///     "stage": "open"
/// }"#)?;
/// assert_eq!(told.stage, DisputeStage::Open);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// The payin whose money it is about.
    pub payin: Subject,
    /// Under which name the gateway knows it. Several disputes of one payin have a name each.
    pub reference: DisputeReference,
    /// How much of the payin the card network took, in minor units: all of it or a part.
    pub amount: Money,
    /// What the gateway charges besides, in minor units of the same currency; may be nothing. It does not come back.
    pub fee: Money,
    /// Why, in the card network's words.
    pub reason: Prose,
    /// How it stands.
    pub stage: DisputeStage,
}

/// How a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStage {
    /// The money is gone; it is not decided yet.
    Open,
    /// The money is back.
    Won,
    /// The money stays gone.
    Lost,
}
