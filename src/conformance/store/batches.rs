//! Several commits written at once, and what a commit makes of a call that itself or another one puts into the outbox.

use super::{append::assert_nothing_of, commits::*};
use crate::{
    gateway::Outcome,
    store::{
        Appended, AppendedAll, Call, CallStatus, Commit, IfSent, Lease, Outbox, Settlement, Store, Unacknowledged,
        UnitOfWork, Withdrawal,
    },
};

/// `append_all` writes commits of several subjects and answers with their revisions in order.
pub async fn several_commits_are_all_written<S: Store>(store: &S) {
    let mut unit = store.begin().await.unwrap();
    // A store may write few in another way than many.
    for numbers in [vec![2, 1], (3..43).rev().collect()] {
        let commits: Vec<_> = numbers.iter().map(|number| opens(order(*number))).collect();
        let all = unit.append_all(&commits).await.unwrap();
        let AppendedAll::Stored(revisions) = all else { panic!("{all:?}") };
        for (commit, revision) in commits.iter().zip(revisions) {
            let log = unit.log(commit.subject()).await.unwrap().unwrap();
            assert_eq!((log.revision, log.records.len()), (revision, 1));
            assert_eq!(log.records[0].stamp, commit.records()[0].stamp);
        }
    }
    assert_eq!(unit.append_all(&[]).await.unwrap(), AppendedAll::Stored(Vec::new()));
}

/// One refused commit of several, and none is written; the answer names its position and why.
pub async fn several_commits_are_written_all_or_none<S: Store>(store: &S) {
    let mut unit = store.begin().await.unwrap();
    stored(&mut unit, &opens(order(1))).await;
    let mut rich = opens(order(2));
    rich.entries = vec![entry("world:sandbox", "wallet:alice", 5)];
    let refused = unit.append_all(&[rich.clone(), opens(order(1)), opens(order(3))]).await.unwrap();
    assert_eq!(refused, AppendedAll::Refused { position: 1, why: Appended::Stale });
    let mut poor = opens(order(3));
    poor.entries = vec![entry("wallet:alice", "wallet:bob", 6)];
    let why = Appended::Overdrawn { account: account("wallet:alice") };
    assert_eq!(unit.append_all(&[rich.clone(), poor]).await.unwrap(), AppendedAll::Refused { position: 1, why });
    let mut twice = opens(order(4));
    twice.calls = vec![charge(payin(1), at(0)), charge(payin(1), at(0))];
    unit.append_all(&[rich.clone(), twice]).await.unwrap_err();
    store.commit(unit).await.unwrap();

    assert_nothing_of(store, &rich).await;
    let mut unit = store.begin().await.unwrap();
    assert!(unit.log(order(1)).await.unwrap().is_some());
    for lost in [2, 3, 4] {
        assert_eq!(unit.log(order(lost)).await.unwrap(), None);
    }
}

/// What the store writes in a unit of its own is there for everybody once it says so. A refusal or an error that says so leaves
/// nothing of it.
pub async fn what_is_appended_durably_is_there_whole<S: Store>(store: &S) {
    let two = [opens(order(1)), opens(order(2))];
    let stored = store.append_durably(&two).await.unwrap();
    let AppendedAll::Stored(revisions) = stored else { panic!("{stored:?}") };
    assert_eq!(store.append_durably(&[]).await.unwrap(), AppendedAll::Stored(Vec::new()));
    let mut unit = store.begin().await.unwrap();
    for (commit, revision) in two.iter().zip(&revisions) {
        let there = unit.log(commit.subject()).await.unwrap().is_some_and(|log| log.revision == *revision);
        assert!(there, "what was acknowledged is not there");
    }
    drop(unit);

    let next = goes_on(order(1), revisions[0], 2);
    let refused = store.append_durably(&[next.clone(), opens(order(3)), opens(order(2))]).await.unwrap();
    assert_eq!(refused, AppendedAll::Refused { position: 2, why: Appended::Stale });
    let mut twice = opens(order(3));
    twice.calls = vec![charge(payin(1), at(0)), charge(payin(1), at(0))];
    let error = store.append_durably(&[next, twice]).await.unwrap_err();
    assert!(matches!(error, Unacknowledged::Unwritten(_)), "nothing was written, and it says: {error:?}");

    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.log(order(1)).await.unwrap().map(|log| log.revision), Some(revisions[0]));
    assert_eq!(unit.log(order(3)).await.unwrap(), None);
}

fn withdraws(number: u128, call: &Call, if_sent: IfSent) -> Commit {
    Commit { withdraws: Some(Withdrawal { key: key(call), if_sent }), ..opens(order(number)) }
}

fn answers(number: u128, call: &Call) -> Commit {
    let settlement = Settlement { key: key(call), outcome: Outcome::Pending { direct_link: None } };
    Commit { settles: [settlement].into(), ..opens(order(number)) }
}

/// A commit finds a call as those before it in the same batch have left it: what one answers, a later one does not withdraw
/// any more, and what one withdraws, a later one may still be told of.
pub async fn a_call_is_found_as_an_earlier_commit_left_it<S: Store>(store: &S) {
    // A store may write few commits in another way than many.
    for others in [0, 20] {
        let first = 100 + 100 * others;
        let further = || (0..others).map(|number| opens(order(first + 50 + number)));
        let calls = [1, 2, 3].map(|number| charge(payin(first + number), at(0)));
        let [one, two, new] = &calls;
        saved(store, &Commit { calls: vec![one.clone(), two.clone()], ..opens(order(first)) }).await;
        let refused = |call, position| AppendedAll::Refused { position, why: Appended::Sent { key: key(call) } };

        let mut unit = store.begin().await.unwrap();
        let batch = [answers(first + 1, one), withdraws(first + 2, one, IfSent::Refuse)];
        let batch: Vec<_> = batch.into_iter().chain(further()).collect();
        assert_eq!(unit.append_all(&batch).await.unwrap(), refused(one, 1));
        let asks = Commit { calls: vec![new.clone()], ..opens(order(first + 1)) };
        let batch = [asks, answers(first + 2, new), withdraws(first + 3, new, IfSent::Refuse)];
        let batch: Vec<_> = batch.into_iter().chain(further()).collect();
        assert_eq!(unit.append_all(&batch).await.unwrap(), refused(new, 2));
        assert_eq!(unit.log(order(first + 1)).await.unwrap(), None);

        let follower = void(payin(first + 1), at(0));
        let follow = IfSent::Follow(Box::new(follower.clone()));
        let batch = [
            answers(first + 1, one),
            withdraws(first + 2, one, follow),
            withdraws(first + 3, two, IfSent::Refuse),
            answers(first + 4, two),
        ];
        let batch: Vec<_> = batch.into_iter().chain(further()).collect();
        let stored = unit.append_all(&batch).await.unwrap();
        assert!(matches!(stored, AppendedAll::Stored(_)), "{stored:?}");
        for (call, status) in [(one, CallStatus::Pending), (&follower, CallStatus::Queued), (two, CallStatus::Pending)]
        {
            assert_eq!(unit.call(&key(call)).await.unwrap().unwrap().status, status, "{call:?}");
        }
        store.commit(unit).await.unwrap();
    }
}

/// A call that follows one which was sent may be answered by the same commit. Where the first one was not sent, nothing
/// follows, and the answer is an error that names the call; nothing is written.
pub async fn a_call_that_follows_is_answered_at_once<S: Store>(store: &S) {
    let calls = [1, 2].map(|number| charge(payin(number), at(0)));
    let [sent, unsent] = &calls;
    saved(store, &Commit { calls: vec![sent.clone()], ..opens(order(1)) }).await;
    let mut unit = store.begin().await.unwrap();
    let lease =
        Lease { worker: "w".parse().unwrap(), gateway: "sandbox".parse().unwrap(), now: at(0), until: at(9), limit: 1 };
    assert_eq!(unit.lease(&lease).await.unwrap().len(), 1);
    store.commit(unit).await.unwrap();
    saved(store, &Commit { calls: vec![unsent.clone()], ..opens(order(2)) }).await;

    let mut unit = store.begin().await.unwrap();
    for (number, call) in [(1, sent), (2, unsent)] {
        let follower = void(payin(number), at(0));
        let settlement = Settlement { key: key(&follower), outcome: Outcome::Settled { moved: euro(1250) } };
        let follow = IfSent::Follow(Box::new(follower.clone()));
        let commit = Commit { settles: [settlement].into(), ..withdraws(2 + number, call, follow) };
        let (answer, state) = (unit.append(&commit).await, unit.call(&key(&follower)).await.unwrap());
        if call == sent {
            assert!(matches!(answer, Ok(Appended::Stored(_))), "{answer:?}");
            assert_eq!(state.unwrap().status, CallStatus::Settled);
        } else {
            let error = answer.unwrap_err().to_string();
            assert!(error.contains(&key(&follower).to_string()), "{error}");
            assert_eq!((state, unit.log(order(2 + number)).await.unwrap()), (None, None));
            assert_eq!(unit.call(&key(call)).await.unwrap().unwrap().status, CallStatus::Queued);
        }
    }
}
