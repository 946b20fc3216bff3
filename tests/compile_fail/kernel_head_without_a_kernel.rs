// What every order carries can be read, not changed.
use escrowed::lifecycle::Value;
use escrowed::order::{Order, Published};

fn forget_the_deadline(mut order: Order<Published>) {
    order.head_mut().deadline = None;
}

fn main() {}
