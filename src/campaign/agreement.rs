//! What a campaign tells and learns about its payout, and what the clock does to it.

use super::{Action, AnyCampaign};
use crate::{
    deal::Leaving,
    lifecycle::Refused,
    party::Stamp,
    payment::{Agreement, Evidence, Learned, PayinId},
};

type Lesson = Result<Learned<AnyCampaign>, Refused<AnyCampaign>>;

impl Agreement for AnyCampaign {
    // Payins are about pledges.
    fn wants(&self, _: PayinId) -> bool {
        false
    }

    fn learn(self, evidence: &Evidence<'_>, at: &Stamp) -> Lesson {
        if let Evidence::After(after) = evidence {
            return match self {
                Self::Released(campaign) => Learned::step(campaign.note_after(*after, at)),
                other => Err(Refused::wrong_status(other, Action::NoteAfter as usize)),
            };
        }
        match self {
            Self::PendingRelease(campaign) if campaign.state.knows(evidence) => Ok(Learned::Nothing(campaign.into())),
            Self::PendingRelease(campaign) => Learned::step(campaign.count(evidence, at)),
            other => Err(Refused::wrong_status(other, Action::Count as usize)),
        }
    }

    fn onward(self, at: &Stamp) -> Lesson {
        match self {
            Self::Open(campaign) if campaign.may_close(at).is_ok() => Learned::step(campaign.close(at)),
            Self::PendingRelease(campaign) if campaign.state.arrived() => Learned::step(campaign.release(at)),
            other => Ok(Learned::Nothing(other)),
        }
    }

    // What is due while it counts or gives back is for its pledges: the escrow sees to that.
    fn due(self, at: &Stamp) -> Lesson {
        match self {
            Self::Open(campaign) => Learned::step(campaign.close(at)),
            Self::Funded(campaign) => Learned::step(campaign.cancel(at)),
            other => Ok(Learned::Nothing(other)),
        }
    }
}
