//! The methods of each status are those of the table, and there are no others.

use escrowed::lifecycle::Table;

// What a status has instead of a method that its table does not give it. An inherent method, where there is one,
// always wins over a trait's.
pub(crate) struct Absent;

macro_rules! compare {
    ($value:ident, $statuses:tt, [$($action:ident),+ $(,)?]) => {
        trait Fallback {
            $( fn $action() -> Absent { Absent } )+
        }
        impl<T> Fallback for T {}
        assert_eq!([$( stringify!($action) ),+], TABLE.actions);
        $( compare!(@action $value, $action, $statuses); )+
    };
    (@action $value:ident, $action:ident, [$($status:ident),+ $(,)?]) => {
        $( check(&TABLE, Status::$status as usize, stringify!($action), is_there($value::<$status>::$action)); )+
        assert_eq!([$( Status::$status ),+], Status::ALL);
    };
}
pub(crate) use compare;

pub(crate) fn is_there<F>(method: F) -> bool {
    !std::any::type_name_of_val(&method).contains("Fallback")
}

pub(crate) fn check(table: &Table, status: usize, action: &str, there: bool) {
    let position = table.actions.iter().position(|name| *name == action).expect("an action of the table");
    let legal = table.edge(status, position).is_some();
    let name = table.statuses[status].name;
    assert_eq!(there, legal, "{action} in {name}: method there: {there}, in the table: {legal}");
}

#[test]
fn a_campaign_has_the_methods_of_its_table_and_no_others() {
    use escrowed::campaign::*;
    compare!(
        Campaign,
        [Open, Counting, Funded, PendingRelease, Released, Missed, Cancelled, Returned],
        [
            close,
            decide,
            validate,
            release,
            cancel,
            finish,
            gather,
            give_back,
            give_rest_back,
            set_payout,
            count,
            note_after
        ]
    );
    assert!(is_there(Campaign::<Open>::close));
    assert!(!is_there(Campaign::<Funded>::close));
}

#[test]
fn a_pledge_has_the_methods_of_its_table_and_no_others() {
    use escrowed::pledge::*;
    compare!(
        Pledge,
        [Created, Paid, Gathered, Returned, Refunded, Cancelled],
        [collect, turn_away, gather, withdraw, give_back, refund, cancel, pay, drop_payin, count, note_after, receive]
    );
}

#[test]
fn a_loan_has_the_methods_of_its_table_and_no_others() {
    use escrowed::loan::*;
    compare!(
        Loan,
        [
            Open, Counting, Funded, Disbursing, Repaying, Late, Defaulted, Repaid, WrittenOff, Missed, Cancelled,
            Returned
        ],
        [
            close,
            decide,
            validate,
            disburse,
            fall_behind,
            catch_up,
            settle,
            declare_default,
            write_off,
            cancel,
            finish,
            gather,
            give_back,
            give_rest_back,
            set_payout,
            count,
            repay,
            recover,
            collect,
            drop_payin
        ]
    );
}

#[test]
fn a_distribution_has_the_methods_of_its_table_and_no_others() {
    use escrowed::distribution::*;
    compare!(Distribution, [Sharing, Shared], [finish, share, pass]);
}
