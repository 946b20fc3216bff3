// The payin was asked for, but its money is not there.
use escrowed::order::{Order, PendingPublish};
use escrowed::party::Stamp;
use escrowed::payment::{Payin, payin::Created};

fn publish(order: Order<PendingPublish>, payin: &Payin<Created>, at: &Stamp) {
    let _ = order.publish(payin, at);
}

fn main() {}
