//! What a campaign tells and learns about its payout and its pledges, and what the clock does to it.

use super::{Action, AnyCampaign};
use crate::{
    deal::Leaving,
    lifecycle::{Reason, Refused, Transition, Value},
    party::Stamp,
    payment::{Agreement, Evidence, Learned, PayinId},
    pledge::{self, Gathered, Offer, Pledge, PledgeId, Pool, Returned, Stage},
};

type Lesson = Result<Learned<AnyCampaign>, Refused<AnyCampaign>>;
type Step = Result<Transition<AnyCampaign>, Refused<AnyCampaign>>;

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

impl Pool for AnyCampaign {
    fn invite(&self, offer: Offer, at: &Stamp) -> Result<pledge::Terms, Reason> {
        let terms = self.facts().terms();
        let Self::Open(campaign) = self else {
            return Err(Reason::WrongStatus { action: "pledge", status: self.status().name() });
        };
        if at.at >= terms.deadline {
            return Err(Reason::TooLate { action: "pledge", deadline: terms.deadline });
        }
        if offer.backer == terms.owner {
            return Err(Reason::SameParty);
        }
        // Of the campaign's currency, and not more than can be counted.
        self.held().checked_add(offer.amount)?;
        Ok(pledge::Terms {
            about: campaign.id().subject(),
            offer,
            gateway: terms.gateway.clone(),
            until: terms.deadline,
            gathering: terms.policy.gathering,
            withdrawable: terms.policy.withdrawals,
        })
    }

    fn stage(&self) -> Stage {
        match self {
            Self::Open(_) => Stage::Open,
            Self::Counting(campaign) => Stage::Counting { after: campaign.state.through },
            Self::Missed(campaign) => Stage::Returning { after: campaign.state.through },
            Self::Cancelled(campaign) => Stage::Returning { after: campaign.state.through },
            Self::Funded(_) | Self::PendingRelease(_) | Self::Released(_) | Self::Returned(_) => Stage::Closed,
        }
    }

    fn batch(&self) -> usize {
        usize::from(self.facts().terms().policy.batch)
    }

    fn gather(self, pledges: &[&Pledge<Gathered>], through: Option<PledgeId>, at: &Stamp) -> Step {
        match self {
            Self::Open(campaign) => widened(campaign.gather(pledges, through, at)),
            Self::Counting(campaign) => widened(campaign.gather(pledges, through, at)),
            other => Err(Refused::wrong_status(other, Action::Gather as usize)),
        }
    }

    fn give_back(self, pledges: &[&Pledge<Returned>], through: Option<PledgeId>, at: &Stamp) -> Step {
        match self {
            Self::Open(campaign) => widened(campaign.give(pledges, through, at)),
            Self::Missed(campaign) => widened(campaign.give(pledges, through, at)),
            Self::Cancelled(campaign) => widened(campaign.give(pledges, through, at)),
            other => Err(Refused::wrong_status(other, Action::GiveBack as usize)),
        }
    }

    fn end_stage(self, at: &Stamp) -> Lesson {
        match self {
            Self::Counting(campaign) => Learned::step(campaign.decide(at)),
            Self::Missed(campaign) => Learned::step(campaign.finish(at)),
            Self::Cancelled(campaign) => Learned::step(campaign.finish(at)),
            other => Ok(Learned::Nothing(other)),
        }
    }
}

fn widened<V: Value<Any = AnyCampaign>>(taken: Result<Transition<V>, Refused<V>>) -> Step {
    taken.map(Transition::widen).map_err(|refused| refused.map(Value::widen))
}
