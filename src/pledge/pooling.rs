//! What pledges and the worker ask of whatever is raised by them, for each lifecycle that is.

/// Gives what [`raised_by_pledges!`](super::raising) made its [`Pool`](crate::pledge::Pool).
macro_rules! pooled {
    ($Any:ident; closed: $($Closed:ident),+) => {
        use $crate::{
            payment::Learned,
            pledge::{Offer, Pool, Stage},
        };

        impl Pool for $Any {
            fn invite(&self, offer: Offer, at: &Stamp) -> Result<pledge::Terms, Reason> {
                let terms = self.facts().terms();
                let Self::Open(open) = self else {
                    return Err(Reason::WrongStatus { action: "pledge", status: self.status().name() });
                };
                if at.at >= terms.deadline {
                    return Err(Reason::TooLate { action: "pledge", deadline: terms.deadline });
                }
                terms.may_take(&offer, self.held())?;
                Ok(pledge::Terms {
                    about: open.id().subject(),
                    offer,
                    platform: terms.platform.clone(),
                    payee: terms.payee().clone(),
                    gateway: terms.gateway.clone(),
                    until: terms.deadline,
                    gathering: terms.policy.gathering,
                    withdrawable: terms.policy.withdrawals,
                })
            }

            fn stage(&self) -> Stage {
                match self {
                    Self::Open(_) => Stage::Open,
                    Self::Counting(counting) => Stage::Counting { after: counting.state.through },
                    Self::Missed(missed) => Stage::Returning { after: missed.state.through },
                    Self::Cancelled(cancelled) => Stage::Returning { after: cancelled.state.through },
                    Self::Funded(_) | Self::Returned(_) $( | Self::$Closed(_) )+ => Stage::Closed,
                }
            }

            fn batch(&self) -> usize {
                usize::from(self.facts().terms().policy.batch)
            }

            fn gather(
                self,
                pledges: &[&Pledge<pledge::Gathered>],
                through: Option<PledgeId>,
                at: &Stamp,
            ) -> Result<Transition<Self>, Refused<Self>> {
                match self {
                    Self::Open(open) => widened(open.gather(pledges, through, at)),
                    Self::Counting(counting) => widened(counting.gather(pledges, through, at)),
                    other => Err(Refused::wrong_status(other, Action::Gather as usize)),
                }
            }

            fn give_back(
                self,
                pledges: &[&Pledge<pledge::Returned>],
                through: Option<PledgeId>,
                at: &Stamp,
            ) -> Result<Transition<Self>, Refused<Self>> {
                match self {
                    Self::Open(open) => widened(open.give(pledges, through, at)),
                    Self::Missed(missed) => widened(missed.give(pledges, through, at)),
                    Self::Cancelled(cancelled) => widened(cancelled.give(pledges, through, at)),
                    other => Err(Refused::wrong_status(other, Action::GiveBack as usize)),
                }
            }

            fn end_stage(self, at: &Stamp) -> Result<Learned<Self>, Refused<Self>> {
                match self {
                    Self::Counting(counting) => Learned::step(counting.decide(at)),
                    Self::Missed(missed) => Learned::step(missed.finish(at)),
                    Self::Cancelled(cancelled) => Learned::step(cancelled.finish(at)),
                    Self::Open(_) | Self::Funded(_) | Self::Returned(_) $( | Self::$Closed(_) )+ => Ok(Learned::Nothing(self)),
                }
            }
        }

        fn widened<V: Value<Any = $Any>>(
            taken: Result<Transition<V>, Refused<V>>,
        ) -> Result<Transition<$Any>, Refused<$Any>> {
            taken.map(Transition::widen).map_err(|refused| refused.map(Value::widen))
        }
    };
}
pub(crate) use pooled;
