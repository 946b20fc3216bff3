// An order is one value: it cannot be doubled.
use escrowed::order::{Order, Published};

fn double(order: Order<Published>) -> (Order<Published>, Order<Published>) {
    (order.clone(), order)
}

fn main() {}
