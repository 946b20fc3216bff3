// The fields of an order are private: only a step makes one.
use escrowed::order::{Order, Published, Released};

fn release(order: Order<Published>, state: Released) -> Order<Released> {
    Order { head: order.head, state }
}

fn main() {}
