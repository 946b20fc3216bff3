//! No payments are about a distribution: it passes on what a loan was repaid. The escrow shares it out when it is due.

use super::{Action, AnyDistribution};
use crate::{
    lifecycle::Refused,
    party::Stamp,
    payment::{Agreement, Evidence, Learned, PayinId},
};

impl Agreement for AnyDistribution {
    fn wants(&self, _: PayinId) -> bool {
        false
    }

    fn learn(self, _: &Evidence<'_>, _: &Stamp) -> Result<Learned<Self>, Refused<Self>> {
        Err(Refused::wrong_status(self, Action::Share as usize))
    }
}
