// The seller has not accepted yet: there is nothing to validate.
use escrowed::order::{Order, Published};
use escrowed::party::Stamp;

fn validate(order: Order<Published>, at: &Stamp) {
    let _ = order.validate(at);
}

fn main() {}
