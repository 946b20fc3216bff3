// The match forgets BLOCKED_RELEASE.
use escrowed::order::AnyOrder;

fn label(order: &AnyOrder) -> &'static str {
    match order {
        AnyOrder::Draft(_) | AnyOrder::PendingPublish(_) | AnyOrder::Failure(_) => "not paid",
        AnyOrder::Published(_) | AnyOrder::Accepted(_) | AnyOrder::PendingValidate(_) => "paid",
        AnyOrder::PendingRelease(_) | AnyOrder::Released(_) => "paid out",
        AnyOrder::Cancelled(_) | AnyOrder::Rejected(_) => "paid back",
    }
}

fn main() {}
