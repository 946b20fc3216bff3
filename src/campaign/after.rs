//! What happens to the money of a campaign after it has left.

use super::{AnyCampaign, Campaign, Released};
use crate::payment::notes_after;

notes_after!(Campaign, AnyCampaign: Released);
