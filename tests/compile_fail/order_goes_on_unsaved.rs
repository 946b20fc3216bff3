// The order was accepted, but not saved: save it first, or go on by `then`.
use escrowed::lifecycle::Refused;
use escrowed::order::{Order, PayoutPlan, Published};
use escrowed::party::Stamp;

fn accept(order: Order<Published>, plan: PayoutPlan, at: &Stamp) -> Result<(), Refused<Order<Published>>> {
    let _ = order.accept(at)?.set_payout(plan, at);
    Ok(())
}

fn main() {}
