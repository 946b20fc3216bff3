// The payin failed.
use escrowed::order::{Order, PendingPublish};
use escrowed::party::Stamp;
use escrowed::payment::{Payin, payin::Denied};

fn publish(order: Order<PendingPublish>, payin: &Payin<Denied>, at: &Stamp) {
    let _ = order.publish(payin, at);
}

fn main() {}
