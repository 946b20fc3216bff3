//! The methods of each status are those of the table, and there are no others.

use escrowed::transaction::*;

// What a status has instead of a method that its table does not give it. An inherent method, where there is one,
// always wins over a trait's.
struct Absent;

macro_rules! compare {
    ([$($action:ident),+ $(,)?], $statuses:tt) => {
        trait Fallback {
            $( fn $action() -> Absent { Absent } )+
        }
        impl<T> Fallback for T {}
        const ACTIONS: &[&str] = &[$( stringify!($action) ),+];
        $( compare!(@action $action, $statuses); )+
    };
    (@action $action:ident, [$($status:ident),+ $(,)?]) => {
        $( check(Status::$status, stringify!($action), is_there(Transaction::<$status>::$action)); )+
        const _: [Status; 13] = [$( Status::$status ),+];
    };
}

fn is_there<F>(method: F) -> bool {
    !std::any::type_name_of_val(&method).contains("Fallback")
}

fn check(status: Status, action: &str, there: bool) {
    let position = TABLE.actions.iter().position(|name| *name == action).expect("an action of the table");
    let legal = TABLE.edge(status as usize, position).is_some();
    assert_eq!(there, legal, "{action} in {status}: method there: {there}, in the table: {legal}");
}

#[test]
fn a_transaction_has_the_methods_of_its_table_and_no_others() {
    compare!(
        [
            join,
            cancel,
            pay,
            accept_payment,
            track,
            deliver,
            confirm_handover,
            complain,
            end_complaint_period,
            release,
            award,
            settle_complaint,
            refund,
            charge_back,
            charge_back_all,
            close,
            open_payin,
            drop_payin,
            set_payout,
            extend_tracking,
            count,
            regain,
            note_after
        ],
        [
            Created,
            Joined,
            Paid,
            PaymentAccepted,
            Tracked,
            Delivered,
            BuyerHandoverConfirmed,
            SellerHandoverConfirmed,
            ComplaintSubmitted,
            ComplaintPeriodEnded,
            Cancelled,
            Refunded,
            FundsReleased
        ]
    );
    // Nothing was forgotten above.
    assert_eq!(ACTIONS, TABLE.actions);
    assert_eq!((Status::ALL.len(), Action::ALL.len()), (13, 23));
    assert!(is_there(Transaction::<Paid>::accept_payment));
    assert!(!is_there(Transaction::<Joined>::accept_payment));
}
