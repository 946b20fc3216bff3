//! Every pair of status and action, legal or not, is decided as the table says: at compile time and at run time.

use escrowed::{lifecycle::Table, order::*, payment::payin, payment::payout, payment::refund};

/// What a status has instead of a method that its table does not give it. An inherent method, where there is one,
/// always wins over a trait's, so naming `Type::method` tells whether there is one.
pub(super) struct Absent;

macro_rules! absent {
    ($($method:ident),+) => {
        trait Fallback {
            $( fn $method() -> Absent { Absent } )+
        }
        impl<T> Fallback for T {}
    };
}

absent!(
    identify_buyer,
    publish,
    fail,
    retry,
    accept,
    reject,
    cancel,
    set_payout,
    validate,
    settle,
    undo,
    release,
    block,
    unblock,
    pay,
    drop_payin,
    count_payout,
    take_back_payout,
    refund_part,
    take_back_refund,
    amend,
    authorize,
    confirm,
    hold,
    deny,
    refund,
    await_payer,
    capture,
    note_answer,
    give_back,
    let_go,
    bounce,
    challenge,
    come_back,
    assure,
    replace,
    approve,
    charge_back,
    charge_back_all,
    close,
    regain,
    win_back,
    note_after,
    note_charged_back,
    note_won_back,
    recover,
    pay_off,
    cover,
    write_off,
    recoup,
    defer,
    note_capture
);

fn is_there<F>(method: F) -> bool {
    !std::any::type_name_of_val(&method).contains("Fallback")
}

/// For each status and action, whether the method is there and whether the table has the edge.
macro_rules! compare {
    ($table:expr, $value:ident, $statuses:tt, $actions:tt) => { compare!(@status $table, $value, $statuses, $actions) };
    (@status $table:expr, $value:ident, [$($status:path),+], $actions:tt) => {
        $( compare!(@action $table, $value, $status, $actions); )+
    };
    (@action $table:expr, $value:ident, $status:path, [$($action:ident),+]) => {
        $( check(&$table, stringify!($status), stringify!($action), is_there($value::<$status>::$action)); )+
    };
}

fn check(table: &Table, status: &str, action: &str, there: bool) {
    let status = status.rsplit([' ', ':']).next().unwrap();
    let at = table.statuses.iter().position(|row| row.name.replace('_', "").eq_ignore_ascii_case(status));
    let action_at = table.actions.iter().position(|name| *name == action);
    let (at, action_at) = (at.expect("a status of the table"), action_at.expect("an action of the table"));
    let legal = table.edge(at, action_at).is_some();
    assert_eq!(there, legal, "{}: {action} in {status}: method there: {there}, in the table: {legal}", table.name);
}

#[test]
fn an_order_has_the_methods_of_its_table_and_no_others() {
    compare!(
        TABLE,
        Order,
        [
            Draft,
            PendingPublish,
            Failure,
            Published,
            Cancelled,
            Accepted,
            Rejected,
            PendingValidate,
            PendingRelease,
            BlockedRelease,
            Released
        ],
        [
            identify_buyer,
            publish,
            fail,
            retry,
            accept,
            reject,
            cancel,
            set_payout,
            validate,
            settle,
            undo,
            release,
            block,
            unblock,
            charge_back,
            charge_back_all,
            close,
            pay,
            drop_payin,
            count_payout,
            take_back_payout,
            refund_part,
            take_back_refund,
            amend,
            regain,
            note_after
        ]
    );
    // Nothing was forgotten above.
    assert_eq!((Status::ALL.len(), Action::ALL.len()), (11, 26));
}

#[test]
fn payments_have_the_methods_of_their_tables_and_no_others() {
    use escrowed::payment::{Debt, Payin, Payout, Refund, Tally, debt, tally};
    compare!(
        payin::TABLE,
        Payin,
        [payin::Created, payin::Authorized, payin::Confirmed, payin::Denied, payin::Cancelled, payin::Refunded],
        // `hand_over` is left out: only what it paid for can take a payin's money.
        [
            authorize,
            confirm,
            deny,
            cancel,
            refund,
            await_payer,
            challenge,
            come_back,
            assure,
            capture,
            note_capture,
            note_answer,
            give_back,
            let_go,
            bounce,
            charge_back,
            win_back
        ]
    );
    compare!(tally::TABLE, Tally, [tally::Counting], [reset, count]);
    compare!(
        payout::TABLE,
        Payout,
        [payout::Created, payout::Held, payout::Confirmed, payout::Denied, payout::Cancelled, payout::Returned],
        [confirm, hold, let_go, deny, come_back, replace, give_back, cancel]
    );
    compare!(
        refund::TABLE,
        Refund,
        [refund::Created, refund::Confirmed, refund::Denied, refund::Cancelled, refund::Returned, refund::Replaced],
        [approve, confirm, deny, come_back, replace, cancel, note_charged_back, note_won_back]
    );
    compare!(
        debt::TABLE,
        Debt,
        [debt::Open, debt::Covered, debt::Paid, debt::WrittenOff],
        [recover, pay_off, cover, write_off, recoup, defer]
    );
    assert_eq!((payin::Status::ALL.len(), payin::Action::ALL.len()), (6, 18));
    assert_eq!((tally::Status::ALL.len(), tally::Action::ALL.len()), (1, 2));
    assert_eq!((payout::Status::ALL.len(), payout::Action::ALL.len()), (6, 8));
    assert_eq!((refund::Status::ALL.len(), refund::Action::ALL.len()), (6, 8));
    assert_eq!((debt::Status::ALL.len(), debt::Action::ALL.len()), (4, 6));
}

#[test]
fn the_comparison_tells_a_missing_method() {
    assert!(is_there(Order::<Published>::accept));
    assert!(!is_there(Order::<Draft>::accept));
    assert!(!is_there(Order::<Released>::cancel));
}
