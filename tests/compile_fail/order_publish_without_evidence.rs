// Nothing shows that the order was paid.
use escrowed::order::{Order, PendingPublish};
use escrowed::party::Stamp;

fn publish(order: Order<PendingPublish>, at: &Stamp) {
    let _ = order.publish(at);
}

fn main() {}
