//! What a campaign tells and learns about its payout, and what the clock does to it.

use super::{Action, AnyCampaign};
use crate::{
    deal::Leaving,
    lifecycle::{Reason, Refused},
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
        match evidence {
            Evidence::PayoutConfirmed(_)
            | Evidence::PayoutDenied(_)
            | Evidence::PayoutReplaced(_)
            | Evidence::PayoutGivenBack(_)
            | Evidence::PayoutCancelled(_) => match self {
                Self::PendingRelease(campaign) if campaign.state.knows(evidence) => {
                    Ok(Learned::Nothing(campaign.into()))
                }
                Self::PendingRelease(campaign) => Learned::step(campaign.count(evidence, at)),
                other => Err(Refused::wrong_status(other, Action::Count as usize)),
            },
            Evidence::After(after) => match self {
                Self::Released(campaign) => Learned::step(campaign.note_after(*after, at)),
                other => Err(Refused::wrong_status(other, Action::NoteAfter as usize)),
            },
            // Whoever backs it pays a pledge, and has the refund of that.
            Evidence::PayinConfirmed(_)
            | Evidence::PayinDenied(_)
            | Evidence::PayinCancelled(_)
            | Evidence::RefundConfirmed(_)
            | Evidence::RefundDenied(_)
            | Evidence::RefundReplaced(_)
            | Evidence::RefundRedirected(_)
            | Evidence::RefundCancelled(_) => {
                Err(Refused { reason: Reason::Missing { what: "a payout of the campaign's own" }, value: self })
            }
        }
    }

    fn onward(self, at: &Stamp) -> Lesson {
        match self {
            Self::Open(campaign) if campaign.may_close(at).is_ok() => Learned::step(campaign.close(at)),
            Self::PendingRelease(campaign) if campaign.state.arrived() => Learned::step(campaign.release(at)),
            Self::Open(_)
            | Self::Counting(_)
            | Self::Funded(_)
            | Self::PendingRelease(_)
            | Self::Released(_)
            | Self::Missed(_)
            | Self::Cancelled(_)
            | Self::Returned(_) => Ok(Learned::Nothing(self)),
        }
    }

    // What is due while it counts or gives back is for its pledges: the escrow sees to that.
    fn due(self, at: &Stamp) -> Lesson {
        match self {
            Self::Open(campaign) => Learned::step(campaign.close(at)),
            Self::Funded(campaign) => Learned::step(campaign.cancel(at)),
            Self::Counting(_)
            | Self::PendingRelease(_)
            | Self::Released(_)
            | Self::Missed(_)
            | Self::Cancelled(_)
            | Self::Returned(_) => Ok(Learned::Nothing(self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        campaign::{Campaign, CampaignId, Terms},
        gateway::Capture,
        lifecycle::Transition,
        party::Actor,
        payment::{Method, Payin, payin},
        sca::Authentication,
    };

    #[test]
    fn a_payin_is_none_of_its_business() {
        let at = Stamp::new(Actor::platform("ops".parse().unwrap()), "2026-05-07T15:39:46Z".parse().unwrap());
        let (name, amount) = ("A record".parse().unwrap(), "50.00 EUR".parse().unwrap());
        let until = "2026-06-06T12:00:00Z".parse().unwrap();
        let (owner, shop, sandbox) = ("olga".parse().unwrap(), "shop".parse().unwrap(), "sandbox".parse().unwrap());
        let terms = Terms::new(name, amount, until, owner, shop, sandbox);
        let id = CampaignId::generate(at.at);
        let payin = payin::Terms {
            about: id.subject(),
            payer: "anna".parse().unwrap(),
            amount,
            method: Method::Card,
            capture: Capture::Now,
            gateway: terms.gateway.clone(),
            expires: None,
            authentication: Authentication::ByGateway,
        };
        let gateway = Stamp::gateway(at.at);
        let payin = Payin::open(PayinId::generate(at.at), payin, &at).unwrap();
        let payin = payin.then(|payin| payin.confirm(amount, &gateway)).unwrap();
        let told = Campaign::open(id, terms, &at).unwrap().widen().then(|campaign| {
            let learned = campaign.learn(&Evidence::PayinConfirmed(payin.value()), &gateway);
            learned.map(|learned| -> Transition<AnyCampaign> { panic!("it learned {learned:?}") })
        });
        assert_eq!(told.unwrap_err().reason, Reason::Missing { what: "a payout of the campaign's own" });
    }
}
