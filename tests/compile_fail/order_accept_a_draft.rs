// A draft is not paid: there is nothing to accept.
use escrowed::order::{Draft, Order};
use escrowed::party::Stamp;

fn accept(order: Order<Draft>, at: &Stamp) {
    let _ = order.accept(at);
}

fn main() {}
