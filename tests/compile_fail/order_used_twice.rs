// The order was accepted: the value that could be rejected is gone.
use escrowed::order::{Order, Published};
use escrowed::party::Stamp;

fn accept_and_reject(order: Order<Published>, at: &Stamp) {
    let _ = order.accept(at);
    let _ = order.reject(at);
}

fn main() {}
