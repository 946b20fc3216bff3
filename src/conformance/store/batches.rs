//! Several commits written at once that concern the same call.

use super::commits::*;
use crate::{
    gateway::Outcome,
    store::{
        Appended, AppendedAll, Call, CallStatus, Commit, IfSent, Outbox, Settlement, Store, UnitOfWork, Withdrawal,
    },
};

fn withdraws(number: u128, call: &Call, if_sent: IfSent) -> Commit {
    Commit { withdraws: Some(Withdrawal { key: key(call), if_sent }), ..opens(order(number)) }
}

fn answers(number: u128, call: &Call) -> Commit {
    let settlement = Settlement { key: key(call), outcome: Outcome::Pending { direct_link: None } };
    Commit { settles: Some(settlement), ..opens(order(number)) }
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
