//! What a gateway's word is worth beside what it said before.

use super::{EscrowError, report::Reported};
use crate::{
    gateway::{Outcome, Report, Verb},
    store::CallState,
};

/// What a report is worth beside what is known of its call. `None` when it is to be acted on.
pub(super) fn judge<E>(call: &CallState, report: &Report) -> Result<Option<Reported>, EscrowError<E>> {
    let contradiction = || {
        let (key, known, reported) = (report.key, call.outcome.clone(), report.outcome.clone());
        Err(EscrowError::Contradiction { key, known, reported })
    };
    use Outcome::{Assured, Challenged, Declined, Pending, Returned, Settled};
    match (&call.outcome, &report.outcome) {
        // Only what went out may come back: a payout, or a refund to a bank account or card.
        (_, Returned { .. }) if !goes_out(report.key.verb) => contradiction(),
        (None, _)
        | (
            Some(Pending { .. } | Challenged { .. }),
            Settled { .. } | Assured { .. } | Declined { .. } | Returned { .. },
        )
        | (Some(Settled { .. }), Returned { .. }) => Ok(None),
        (Some(known), reported) if known == reported => Ok(Some(Reported::Repeated)),
        (Some(Pending { .. }), Pending { .. } | Challenged { .. }) | (Some(Challenged { .. }), Challenged { .. }) => {
            Ok(None)
        }
        // Whoever has been challenged is awaited all the same.
        (Some(Challenged { .. }), Pending { .. })
        | (
            Some(Settled { .. } | Assured { .. } | Declined { .. } | Returned { .. }),
            Pending { .. } | Challenged { .. },
        ) => Ok(Some(Reported::Late)),
        // The same, with less said of it.
        (Some(Assured { moved: known, .. }), Settled { moved }) if known == moved => Ok(Some(Reported::Repeated)),
        // It had settled before it came back, all of it, whatever the bank has kept since.
        (Some(Returned { .. }), Settled { moved }) if *moved == call.instruction.amount() => Ok(Some(Reported::Late)),
        // The same in other words.
        (Some(Returned { moved, .. }), Returned { moved: again, .. }) if moved == again => Ok(Some(Reported::Repeated)),
        (Some(Returned { .. }), Settled { .. } | Assured { .. } | Declined { .. } | Returned { .. })
        | (Some(Assured { .. } | Declined { .. }), Returned { .. }) => contradiction(),
        // The same answer in other words.
        (Some(Declined { .. }), Declined { .. }) => Ok(Some(Reported::Repeated)),
        // A payer who tries again on the gateway's page after a failure: the money comes, and goes back.
        (Some(Declined { .. }), Settled { .. } | Assured { .. }) => match report.key.verb {
            Verb::Charge | Verb::Capture => Ok(None),
            Verb::Void | Verb::Payout | Verb::Refund => contradiction(),
        },
        (Some(Settled { .. } | Assured { .. }), Settled { .. } | Assured { .. } | Declined { .. }) => contradiction(),
    }
}

const fn goes_out(verb: Verb) -> bool {
    match verb {
        Verb::Payout | Verb::Refund => true,
        Verb::Charge | Verb::Capture | Verb::Void => false,
    }
}
