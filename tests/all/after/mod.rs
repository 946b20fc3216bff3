//! What happens after the end: payouts that come back.

mod evidence;
mod returned;

pub(crate) use evidence::came_back;
