//! Pledging, paying, gathering, withdrawing.

use super::*;
use crate::harness::{key, on_each_store, ops};
use escrowed::{
    deal::Period,
    gateway::Outcome,
    money::Currency,
    payment::{Route, payin},
    sandbox::Resolution,
};

on_each_store! {
    async fn paid_pledges_are_gathered_in_the_campaigns_own_escrow_account(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        drive.wait(TICK);
        let pledges = drive.backed(["50.00", "20.00", "10.00"]).await;
        assert_eq!(drive.statuses(pledges).await, ["PAID"; 3]);
        assert_eq!((drive.raised().await, drive.in_escrow().await), ((0, "0.00 EUR".into()), "0.00 EUR".into()));
        // All three were paid in one interval: they are gathered at once, in one event.
        drive.wait(SLOT - TICK - TICK);
        assert_eq!(drive.tick().await, 0);
        drive.wait(TICK);
        assert_eq!(drive.tick().await, 1);
        assert_eq!(drive.statuses(pledges).await, ["GATHERED"; 3]);
        assert_eq!((drive.raised().await, drive.in_escrow().await), ((3, "80.00 EUR".into()), "80.00 EUR".into()));
        drive.expect(Status::Open).await;
        shop.audit().await;
    }

    async fn pledges_of_several_campaigns_are_gathered_each_for_its_own(shop) {
        let drives = [Drive::opened(&shop, terms()).await, Drive::opened(&shop, terms()).await];
        for name in ["anna", "ben", "cleo"] {
            for drive in &drives {
                drive.pays(name, "10.00").await;
            }
        }
        shop.send().await;
        drives[0].wait(SLOT);
        drives[0].clock().await;
        for drive in &drives {
            assert_eq!(drive.raised().await, (3, "30.00 EUR".into()));
        }
        shop.audit().await;
    }

    async fn a_batch_is_no_larger_than_the_policy_says(shop) {
        let drive = Drive::opened(&shop, with(|policy| policy.batch = 2)).await;
        for number in 0..5 {
            drive.pays(&format!("backer{number}"), "1.00").await;
        }
        shop.send().await;
        drive.wait(SLOT);
        assert_eq!(drive.tick().await, 3);
        assert_eq!(drive.raised().await, (5, "5.00 EUR".into()));
    }

    async fn a_declined_payin_lets_the_backer_try_again(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        drive.decline(Verb::Charge);
        let pledge = drive.pays("anna", "50.00").await;
        shop.send().await;
        assert_eq!(drive.status(pledge).await, pledge::Status::Created);
        assert_eq!(shop.load(pledge).await.facts().till().underway(), None);
        drive.try_on(pledge, pledge::Command::Pay { by: wire("anna") }, user("anna")).await.unwrap();
        shop.send().await;
        assert_eq!(drive.status(pledge).await, pledge::Status::Paid);
    }

    async fn a_wallet_pays_at_once_and_gets_it_back_at_once(shop) {
        shop.fill_wallet("anna", euro("60.00")).await;
        let drive = Drive::opened(&shop, terms()).await;
        let pledge = drive.pledge("anna", "60.00", Method::Wallet).await;
        assert_eq!((drive.status(pledge).await, drive.wallet("anna").await), (pledge::Status::Paid, "0.00 EUR".into()));
        let broke = drive.try_pledge(user("anna"), offer("anna", "0.01"), Method::Wallet).await;
        assert!(matches!(broke, Err(EscrowError::Overdrawn(_))), "{broke:?}");
        drive.withdraw(pledge, user("anna")).await.unwrap();
        assert_eq!(drive.status(pledge).await, pledge::Status::Refunded);
        assert_eq!(drive.payin(pledge).await.status(), payin::Status::Refunded);
        assert_eq!(drive.wallet("anna").await, "60.00 EUR");
        shop.audit().await;
    }

    async fn a_pledge_is_withdrawn_before_and_after_it_was_gathered(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let [anna, ben, cleo] = drive.backed(["50.00", "40.00", "30.00"]).await;
        drive.withdraw(anna, user("anna")).await.unwrap();
        drive.wait(SLOT);
        drive.clock().await;
        assert_eq!(drive.raised().await, (2, "70.00 EUR".into()));
        drive.withdraw(ben, user("ben")).await.unwrap();
        assert_eq!((drive.raised().await, drive.in_escrow().await), ((1, "30.00 EUR".into()), "30.00 EUR".into()));
        // The last one empties the account, and the campaign goes on.
        drive.withdraw(cleo, user("cleo")).await.unwrap();
        assert_eq!((drive.raised().await, drive.in_escrow().await), ((0, "0.00 EUR".into()), "0.00 EUR".into()));
        assert_eq!(drive.statuses([anna, ben, cleo]).await, ["RETURNED"; 3]);
        shop.send().await;
        assert_eq!(drive.statuses([anna, ben, cleo]).await, ["REFUNDED"; 3]);
        assert_eq!(drive.outside().await, "0.00 EUR");
        let again = drive.withdraw(ben, user("ben")).await;
        assert!(matches!(reason(again), Reason::WrongStatus { .. }));
        drive.expect(Status::Open).await;
        shop.audit().await;
    }

    async fn a_request_to_pledge_or_to_withdraw_is_done_once(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let once = |key: &str| user("anna").under(key.parse().unwrap());
        let fifty = offer("anna", "50.00");
        let pledge = drive.try_pledge(once("pledge"), fifty.clone(), Method::Card).await.unwrap();
        shop.send().await;
        drive.wait(SLOT);
        drive.clock().await;
        for _ in 0..2 {
            let (mut unit, withdraw) = (shop.begin().await, pledge::Command::Withdraw {});
            let answer = shop.escrow.act_on_pledge(&mut unit, pledge, withdraw, once("withdraw")).await.unwrap();
            assert_eq!(answer.status(), pledge::Status::Returned);
            shop.commit(unit).await;
            shop.send().await;
            assert_eq!(drive.status(pledge).await, pledge::Status::Refunded);
        }
        assert_eq!((drive.raised().await, drive.outside().await), ((0, "0.00 EUR".into()), "0.00 EUR".into()));
        // Whoever asks again gets the first answer, though no pledges are taken any more.
        drive.over().await;
        assert_eq!(drive.try_pledge(once("pledge"), fifty.clone(), Method::Card).await.unwrap(), pledge);
        for (offer, by) in [(offer("anna", "50.01"), Method::Card), (fifty, Method::Wallet)] {
            let other = drive.try_pledge(once("pledge"), offer, by).await;
            assert!(matches!(other, Err(EscrowError::OtherRequest { .. })), "{other:?}");
        }
        assert_eq!(drive.pledges().await.len(), 1);
        shop.audit().await;
    }

    async fn whether_a_pledge_may_be_withdrawn_is_for_the_policy_and_the_deadline(shop) {
        let firm = Drive::opened(&shop, with(|policy| policy.withdrawals = false)).await;
        let [anna, ben, cleo] = firm.backed(["50.00", "40.00", "30.00"]).await;
        assert!(matches!(reason(firm.withdraw(anna, user("anna")).await), Reason::Fixed { .. }));
        assert!(matches!(reason(firm.withdraw(anna, user("ben")).await), Reason::WrongActor { .. }));
        // The platform may in any case.
        firm.withdraw(anna, ops()).await.unwrap();
        firm.wait(DAY - TICK);
        firm.clock().await;
        assert_eq!(firm.status(ben).await, pledge::Status::Gathered);
        firm.withdraw(ben, ops()).await.unwrap();
        firm.wait(TICK);
        for by in [user("cleo"), ops()] {
            let late = firm.withdraw(cleo, by).await;
            assert!(matches!(reason(late), Reason::TooLate { action: "withdraw", .. }));
        }
    }

    async fn what_is_gathered_is_not_withdrawn_past_the_campaign(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let [anna, ..] = drive.backed(["50.00", "40.00", "30.00"]).await;
        drive.wait(SLOT);
        drive.clock().await;
        // By a step of the pledge alone, the books would say otherwise than the logs.
        let alone = shop.try_act(anna, pledge::Command::Withdraw {}, user("anna")).await;
        assert!(matches!(alone, Err(EscrowError::Unbooked(_))), "{alone:?}");
        assert_eq!(drive.status(anna).await, pledge::Status::Gathered);
        shop.audit().await;
    }

    async fn nobody_pledges_what_cannot_be_taken(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let pledged = async |who: &str, offer: Offer| reason(drive.try_pledge(user(who), offer, Method::Card).await);
        assert!(matches!(pledged("anna", offer("anna", "0.00")).await, Reason::Money(_)));
        assert!(matches!(pledged("anna", offer("anna", "-1.00")).await, Reason::Money(_)));
        let yen = Offer { backer: party("anna"), amount: escrowed::money::Money::from_minor(500, Currency::JPY) };
        assert!(matches!(pledged("anna", yen).await, Reason::Money(_)));
        assert!(matches!(pledged("eve", offer("anna", "5.00")).await, Reason::NotForOthers { .. }));
        assert_eq!(pledged("olga", offer("olga", "5.00")).await, Reason::SameParty);
        // The platform may in somebody's name.
        drive.try_pledge(ops(), offer("anna", "5.00"), Method::Card).await.unwrap();
        drive.wait(DAY);
        assert!(matches!(pledged("anna", offer("anna", "5.00")).await, Reason::TooLate { .. }));
        drive.clock().await;
        assert!(matches!(pledged("anna", offer("anna", "5.00")).await, Reason::WrongStatus { .. }));
        assert_eq!(drive.pledges().await.len(), 1);
    }

    async fn nobody_opens_a_campaign_that_cannot_be(shop) {
        let at = |name: &str| shop.escrow.stamp(user(name));
        let opened = |terms, name: &str| Campaign::open(CampaignId::generate(shop.now()), terms, &at(name)).map(drop);
        assert!(opened(terms(), "olga").is_ok());
        let refused = |terms, name: &str| opened(terms, name).unwrap_err().reason;
        assert!(matches!(refused(terms(), "eve"), Reason::NotForOthers { who: "the owner" }));
        assert!(matches!(refused(with(|policy| policy.batch = 0), "olga"), Reason::OutOfRange { least: 1, most: 1000, .. }));
        assert!(matches!(refused(with(|policy| policy.batch = 1001), "olga"), Reason::OutOfRange { least: 1, most: 1000, .. }));
        let mut none = terms();
        none.target = euro("0.00");
        assert!(matches!(refused(none, "olga"), Reason::Money(_)));
        // €2 at least: nothing would be left for the owner.
        let mut small = terms();
        small.target = euro("2.00");
        assert!(matches!(refused(small.clone(), "olga"), Reason::TooMuch { .. }));
        small.target = euro("1.99");
        assert!(matches!(refused(small, "olga"), Reason::Fee(_)));
        let mut past = terms();
        past.deadline = shop.now();
        assert!(matches!(refused(past, "olga"), Reason::TooLate { .. }));
        let mut elsewhere = terms();
        elsewhere.gateway = "stripe".parse().unwrap();
        let mut unit = shop.begin().await;
        let other = shop.escrow.open(&mut unit, Campaign::open, elsewhere, olga()).await;
        assert!(matches!(other, Err(EscrowError::OtherGateway { .. })));
    }

    async fn a_payin_under_way_ends_with_its_pledge(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let pledge = drive.pays("anna", "50.00").await;
        drive.try_on(pledge, pledge::Command::Cancel {}, user("anna")).await.unwrap();
        assert_eq!(drive.payin(pledge).await.status(), payin::Status::Cancelled);
        shop.send().await;
        assert_eq!((drive.status(pledge).await, drive.outside().await), (pledge::Status::Cancelled, "0.00 EUR".into()));
    }

    async fn money_of_a_cancelled_pledge_goes_back_by_itself(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let pledge = drive.pays("anna", "50.00").await;
        shop.send().await;
        drive.try_on(pledge, pledge::Command::Cancel {}, user("anna")).await.unwrap();
        // The payer has paid on the gateway's page all the same.
        let charge = key(drive.payin(pledge).await.id().subject(), Verb::Charge);
        shop.report(charge, Outcome::Settled { moved: euro("50.00") }).await;
        let refund = drive.refunds(pledge).await.pop().expect("a refund");
        assert_eq!(refund.facts().route, Route::Original);
        assert_eq!(drive.status(pledge).await, pledge::Status::Cancelled);
        shop.audit().await;
    }

    async fn money_that_comes_at_the_deadline_goes_back_by_itself(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        shop.gateway().script(Verb::Charge, [Behaviour::Pend, Behaviour::Pend]);
        let [early, late] = [drive.pledge("anna", "50.00", wire("anna")).await, drive.pledge("ben", "60.00", wire("ben")).await];
        shop.send().await;
        let charges = shop.gateway().pending();
        drive.wait(DAY - TICK);
        for (charge, wait) in charges.iter().zip([TICK, TICK]) {
            shop.gateway().resolve(charge, Resolution::Settle);
            for report in shop.gateway().reports() {
                shop.hear(&report).await;
            }
            drive.wait(wait);
        }
        // A microsecond before counts; the deadline itself does not. Whichever payin it was that came late:
        let statuses = [drive.status(early).await, drive.status(late).await];
        assert!(statuses.contains(&pledge::Status::Paid) && statuses.contains(&pledge::Status::Returned), "{statuses:?}");
        drive.clock().await;
        shop.send().await;
        assert_eq!(drive.path().await, "OPEN COUNTING MISSED RETURNED");
        assert_eq!(drive.statuses([early, late]).await, ["REFUNDED"; 2]);
        assert_eq!(drive.outside().await, "0.00 EUR");
        shop.audit().await;
    }

    async fn money_that_comes_after_the_campaign_was_called_off_goes_back_by_itself(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let pledge = drive.pledge("anna", "50.00", wire("anna")).await;
        shop.send().await;
        drive.act(olga(), Command::Cancel {}).await;
        // Nobody has seen to the pledge yet, and it is paid.
        let charge = shop.gateway().pending().pop().unwrap();
        shop.gateway().resolve(&charge, Resolution::Settle);
        for report in shop.gateway().reports() {
            shop.hear(&report).await;
        }
        assert_eq!(drive.status(pledge).await, pledge::Status::Paid);
        drive.clock().await;
        shop.send().await;
        assert_eq!(drive.status(pledge).await, pledge::Status::Refunded);
        drive.expect(Status::Returned).await;
        shop.audit().await;
    }

    async fn a_wire_that_was_never_sent_ends_at_the_deadline(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let pledge = drive.pledge("anna", "50.00", wire("anna")).await;
        shop.send().await;
        drive.over().await;
        assert_eq!(drive.status(pledge).await, pledge::Status::Cancelled);
        assert_eq!(drive.payin(pledge).await.status(), payin::Status::Cancelled);
        drive.expect(Status::Returned).await;
    }
}

#[test]
fn the_last_gathering_is_at_the_deadline() {
    let at = |text: &str| text.parse::<escrowed::time::Timestamp>().unwrap();
    let terms = |gathering| pledge::Terms {
        about: CampaignId::generate(at("2026-05-07T15:39:46Z")).subject(),
        offer: offer("anna", "1.00"),
        platform: party("shop"),
        payee: party("olga"),
        gateway: "sandbox".parse().unwrap(),
        until: at("2026-06-01T00:00:00Z"),
        gathering,
        withdrawable: true,
    };
    let hourly = terms(Period::hours(1));
    for (paid, gathered) in [
        ("2026-05-31T22:59:59.999999Z", "2026-05-31T23:00:00Z"),
        ("2026-05-31T23:00:00Z", "2026-05-31T23:00:00Z"),
        ("2026-05-31T23:00:00.000001Z", "2026-06-01T00:00:00Z"),
        ("2026-05-31T23:59:59.999999Z", "2026-06-01T00:00:00Z"),
    ] {
        assert_eq!(hourly.gathered_at(at(paid)), at(gathered), "{paid}");
    }
    // Longer than the campaign runs: all at the end.
    assert_eq!(terms(Period::days(400)).gathered_at(at("2026-05-01T00:00:00Z")), at("2026-06-01T00:00:00Z"));
}
