// Only the crate has a kernel.
use escrowed::lifecycle::{Kernel, Value};
use escrowed::order::{Order, Published};

fn forget_the_deadline(mut order: Order<Published>) {
    order.head_mut(&Kernel(())).deadline = None;
}

fn main() {}
