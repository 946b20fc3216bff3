// The platform has not validated yet: no payout was opened that could be confirmed.
use escrowed::order::{Order, PendingValidate};
use escrowed::party::Stamp;

fn release(order: Order<PendingValidate>, at: &Stamp) {
    let _ = order.release(&[], at);
}

fn main() {}
