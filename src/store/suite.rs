//! What every store promises, as tests that run against each of them.

pub(crate) mod append;
pub(crate) mod outbox;
pub(crate) mod views;

use crate::{
    gateway::{Capture, Channel, IdempotencyKey, Instruction},
    id::{Kind, Subject},
    ledger::{Account, Entry, Purpose},
    money::{Currency, Money},
    party::{Actor, Stamp},
    store::{Appended, Call, Commit, IndexRow, Payload, Record, Revision, Store, UnitOfWork},
    time::Timestamp,
};
use std::time::Duration;
use uuid::Uuid;

/// One test per promise. The expression makes a store, and whatever must live as long as it.
macro_rules! every_promise {
    ($make:expr) => {
        $crate::store::suite::every_promise! { $make =>
            append:
                a_log_is_read_as_it_was_written,
                a_subject_is_created_once,
                a_stale_revision_writes_nothing,
                a_wrong_number_is_stale,
                a_rollback_leaves_nothing_anywhere,
                a_rolled_back_revision_is_stale_afterwards,
                a_unit_reads_its_own_writes,
                several_commits_are_all_written,
                several_commits_are_written_all_or_none,
                an_overdraft_is_refused_and_named,
                entries_count_in_their_order,
                only_the_world_goes_below_zero,
                an_account_holds_what_its_log_says,
                a_balance_stays_within_64_bits,
                a_request_is_answered_once,
                a_refusal_leaves_the_unit_usable,
                units_take_turns,
                one_of_many_creators_wins;
            outbox:
                a_call_waits_as_it_was_written,
                a_call_that_nobody_took_is_withdrawn,
                a_call_that_was_taken_refuses_or_is_followed,
                a_call_is_put_in_once,
                only_known_calls_are_settled,
                a_pending_answer_keeps_a_call_open,
                calls_are_leased_in_the_order_they_fall_due,
                a_lease_keeps_others_off_until_it_ends,
                a_later_call_of_a_payment_waits_for_the_queued_one,
                the_calls_of_one_order_keep_their_order,
                a_lease_that_was_lost_notes_nothing,
                a_deadline_is_leased_once,
                postponed_calls_come_back_and_parked_ones_do_not,
                a_lease_that_was_rolled_back_was_never_taken,
                calls_are_listed_by_key;
            views:
                each_query_finds_its_rows,
                everything_is_listed_once,
                pages_end_where_the_next_begins,
                rows_that_change_between_pages_are_seen_once,
                deadlines_come_in_order,
                parties_come_and_go,
                balances_are_listed_in_order,
                entries_are_listed_by_account,
                hostile_text_comes_back_unharmed;
        }
    };
    ($make:expr => $($module:ident: $($name:ident),+;)+) => {$(
        mod $module {
            use super::*;
            $(
                #[test]
                fn $name() {
                    let (store, _keep) = $make;
                    futures_lite::future::block_on($crate::store::suite::$module::$name(&store));
                }
            )+
        }
    )+};
}
pub(crate) use every_promise;

pub(crate) const ORDER: Kind = Kind::new("ord");
pub(crate) const PAYIN: Kind = Kind::new("pi");

pub(crate) fn order(number: u128) -> Subject {
    Subject::new(ORDER, Uuid::from_u128(number))
}

pub(crate) fn payin(number: u128) -> Subject {
    Subject::new(PAYIN, Uuid::from_u128(number))
}

pub(crate) fn at(second: u64) -> Timestamp {
    let start: Timestamp = "2026-05-07T15:39:46Z".parse().unwrap();
    start.plus(Duration::from_secs(second))
}

pub(crate) fn euro(minor: i64) -> Money {
    Money::from_minor(minor, Currency::EUR)
}

pub(crate) fn account(text: &str) -> Account {
    text.parse().unwrap()
}

pub(crate) fn entry(from: &str, to: &str, minor: i64) -> Entry {
    Entry::new(account(from), account(to), euro(minor), Purpose::Payin).unwrap()
}

pub(crate) fn record(seq: u32, body: &str) -> Record {
    let stamp = Stamp::new(Actor::Party("alice".parse().unwrap()), at(u64::from(seq)));
    Record { seq, name: "noted", version: 1, stamp, payload: Payload::new(body.to_owned()) }
}

/// The first commit of a subject, with one event and nothing else.
pub(crate) fn opens(subject: Subject) -> Commit {
    let index =
        IndexRow { lifecycle: "order", status: "OPEN", parties: [].into(), about: None, deadline: None, held: euro(0) };
    Commit {
        subject,
        expected: None,
        records: vec![record(1, "opened")],
        held_before: index.held,
        index,
        entries: Vec::new(),
        calls: Vec::new(),
        settles: None,
        withdraws: None,
        request: None,
    }
}

/// A further commit, with one event and nothing else.
pub(crate) fn goes_on(subject: Subject, expected: Revision, seq: u32) -> Commit {
    Commit { expected: Some(expected), records: vec![record(seq, "went on")], ..opens(subject) }
}

pub(crate) fn charge(subject: Subject, due: Timestamp) -> Call {
    let instruction =
        Instruction::Charge { payin: subject, channel: Channel::Card, amount: euro(1250), capture: Capture::Now };
    Call { gateway: "sandbox".parse().unwrap(), instruction, due }
}

pub(crate) fn void(subject: Subject, due: Timestamp) -> Call {
    let instruction = Instruction::Void { payin: subject, amount: euro(1250) };
    Call { gateway: "sandbox".parse().unwrap(), instruction, due }
}

pub(crate) fn key(call: &Call) -> IdempotencyKey {
    call.instruction.key()
}

pub(crate) async fn stored<U: UnitOfWork>(unit: &mut U, commit: &Commit) -> Revision {
    match unit.append(commit).await.unwrap() {
        Appended::Stored(revision) => revision,
        refused => panic!("refused: {refused:?}"),
    }
}

/// Appends and commits.
pub(crate) async fn saved<S: Store>(store: &S, commit: &Commit) -> Revision {
    let mut unit = store.begin().await.unwrap();
    let revision = stored(&mut unit, commit).await;
    store.commit(unit).await.unwrap();
    revision
}
