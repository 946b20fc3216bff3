// The fields of an order are private: only a step makes one.
use escrowed::lifecycle::Head;
use escrowed::order::{AnyOrder, Order, Released};

fn release(head: Box<Head<AnyOrder>>, state: Released) -> Order<Released> {
    Order { head, state }
}

fn main() {}
