// An order comes from its log, not from somebody's JSON.
use escrowed::order::{Order, Published};

fn main() {
    let _ = serde_json::from_str::<Order<Published>>("{}");
}
