//! The methods of each status are those of the table, and there are no others.

use escrowed::face_to_face::*;

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
        $( check(Status::$status, stringify!($action), is_there(FaceToFace::<$status>::$action)); )+
        const _: [Status; 16] = [$( Status::$status ),+];
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
fn a_deal_has_the_methods_of_its_table_and_no_others() {
    compare!(
        [
            join,
            reject,
            cancel,
            pay_deposit,
            accept_deposit,
            set_price,
            skip_remainder,
            pay_remainder,
            refund_deposit,
            confirm_handover,
            complain,
            escalate,
            end_complaint_period,
            release,
            award,
            settle_complaint,
            charge_back,
            charge_back_all,
            close,
            miss,
            pay,
            drop_payin,
            review,
            set_payout,
            extend,
            waive,
            count,
            regain,
            note_after
        ],
        [
            Created,
            Joined,
            Rejected,
            DepositPaid,
            Cancelled,
            DepositAccepted,
            Priced,
            RemainderPaid,
            RemainderSkipped,
            CancelledWithDeposit,
            DepositRefunded,
            BuyerHandoverConfirmed,
            SellerHandoverConfirmed,
            Complained,
            ComplaintPeriodEnded,
            FundsReleased
        ]
    );
    // Nothing was forgotten above.
    assert_eq!(ACTIONS, TABLE.actions);
    assert_eq!((Status::ALL.len(), Action::ALL.len()), (16, 29));
    assert!(is_there(FaceToFace::<SellerHandoverConfirmed>::waive));
    assert!(!is_there(FaceToFace::<BuyerHandoverConfirmed>::waive));
}
