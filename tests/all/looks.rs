//! One act that looks twice, and others that commit between its looks, as they may where a unit sees what others commit.

use crate::harness::{bank, on_each_store, ops, terms, user};
use escrowed::{
    escrow::EscrowError,
    gateway::Verb,
    id::Subject,
    order::{Command, PayoutPlan, Status},
    payment::{AnyPayout, Method, payout},
    sandbox::Behaviour,
    store::{Answered, Appended, AppendedAll, Commit, Log, RequestKey, UnitOfWork},
};

/// A unit whose first looks come before somebody else's commit: what each subject and each request was like then.
struct Early<U> {
    unit: U,
    logs: Vec<Log>,
    unanswered: Vec<RequestKey>,
}

impl<U: UnitOfWork> UnitOfWork for Early<U> {
    type Error = U::Error;

    async fn log(&mut self, subject: Subject) -> Result<Option<Log>, U::Error> {
        match self.logs.iter().position(|log| log.subject == subject) {
            Some(early) => Ok(Some(self.logs.remove(early))),
            None => self.unit.log(subject).await,
        }
    }

    async fn answered(&mut self, key: &RequestKey) -> Result<Option<Answered>, U::Error> {
        match self.unanswered.iter().position(|early| early == key) {
            Some(early) => {
                self.unanswered.remove(early);
                Ok(None)
            }
            None => self.unit.answered(key).await,
        }
    }

    async fn append(&mut self, commit: &Commit) -> Result<Appended, U::Error> {
        self.unit.append(commit).await
    }

    async fn append_all(&mut self, commits: &[Commit]) -> Result<AppendedAll, U::Error> {
        self.unit.append_all(commits).await
    }
}

on_each_store! {
    async fn what_is_done_while_it_is_looked_for_is_answered_and_not_refused(shop) {
        let id = shop.open(terms()).await;
        let pay = || Command::Pay { by: Method::Card };
        let anna = |key: &str| user("anna").under(key.parse().unwrap());
        let mut unit = shop.begin().await;
        let first = shop.escrow.act(&mut unit, id, pay(), anna("k")).await.unwrap();
        shop.commit(unit).await;
        let mut unit = Early { unit: shop.begin().await, logs: Vec::new(), unanswered: vec!["k".parse().unwrap()] };
        let again = shop.escrow.act(&mut unit, id, pay(), anna("k")).await.unwrap();
        assert_eq!(format!("{again:?}"), format!("{first:?}"));
        // Another request is refused as ever.
        unit.unanswered.push("l".parse().unwrap());
        let other = shop.escrow.act(&mut unit, id, pay(), anna("l")).await;
        assert!(matches!(other, Err(EscrowError::Refused(_))), "{other:?}");
    }

    async fn evidence_that_is_newer_than_its_order_is_a_lost_race_and_not_refused(shop) {
        shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason: "no such account".parse().unwrap() }]);
        let id = shop.planned(terms(), PayoutPlan::to("sam".parse().unwrap(), bank("ba_sam"))).await;
        shop.act(id, Command::Validate {}, ops()).await;
        let before = shop.begin().await.log(id.subject()).await.unwrap().unwrap();
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::BlockedRelease);
        let [AnyPayout::Denied(denied)] = &shop.payouts(id).await[..] else { panic!("it was declined") };

        // The order as it was before its payout was denied takes nothing back.
        let back = || payout::Command::GiveBack {};
        let mut unit = Early { unit: shop.begin().await, logs: vec![before], unanswered: Vec::new() };
        let torn = shop.escrow.act_on_payout(&mut unit, denied.id(), back(), ops()).await;
        assert!(matches!(torn, Err(EscrowError::Stale)), "{torn:?}");
        // Looked at anew, it is done; and refused once it is done.
        shop.escrow.act_on_payout(&mut unit, denied.id(), back(), ops()).await.unwrap();
        let twice = shop.escrow.act_on_payout(&mut unit, denied.id(), back(), ops()).await;
        assert!(matches!(twice, Err(EscrowError::Refused(_))), "{twice:?}");
        shop.commit(unit.unit).await;
        shop.audit().await;
        shop.verify().await;
    }
}
