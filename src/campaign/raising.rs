//! How a campaign is funded.

crate::pledge::raised_by_pledges!(Campaign, AnyCampaign; closed: PendingRelease, Released);
