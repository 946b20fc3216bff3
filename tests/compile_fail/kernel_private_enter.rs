// A status is entered by a step only.
use escrowed::order::{Order, Published, Released};

fn release(order: Order<Published>, state: Released) -> Order<Released> {
    order.enter(state)
}

fn main() {}
