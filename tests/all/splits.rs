//! An account's default split, what an order says instead, and payees in wallets and at banks mixed.

use crate::harness::{bank, euro, on_each_store, ops, party, user};
use escrowed::{
    escrow::EscrowError,
    lifecycle::Reason,
    money::{FeePolicy, FeeRule, Share},
    order::{Account, Command, OrderId, Payee, PayoutPlan, Status, Terms},
    payment::{AnyPayout, Destination, payout, refund},
    store::Store,
};

/// 10 %, at least €5, to the shop's wallet; the rest to the seller's.
fn shop_account(others: Vec<Payee>) -> Account {
    let mut account = Account::new(party("shop"), "sandbox".parse().unwrap()).paying_wallets(others);
    let rule = FeeRule::new("10%".parse().unwrap(), euro("5.00")).unwrap();
    account.fees = Some(FeePolicy::new(rule, euro("0.00")).unwrap());
    account
}

fn bicycle(account: &Account) -> Terms {
    account.terms("A bicycle".parse().unwrap(), euro("100.00"), party("sam"))
}

fn payee(name: &str, share: Share, to: Destination) -> Payee {
    Payee { party: party(name), share, to }
}

/// €20.00 to the workshop's bank, 25 % to pia's wallet, the rest to sam's.
fn mixed() -> Vec<Payee> {
    vec![
        payee("workshop", Share::Fixed(euro("20.00")), bank("ba_workshop")),
        payee("pia", Share::Percent("25%".parse().unwrap()), Destination::Wallet),
    ]
}

type Shop<S> = crate::harness::Shop<S>;

/// Accepts without a word of who is paid, and validates.
async fn released<S: Store>(shop: &Shop<S>, id: OrderId) -> Status {
    let accepted = shop.act(id, Command::Accept { payout: None }, user("sam")).await;
    assert_eq!(accepted.status(), Status::PendingValidate);
    shop.act(id, Command::Validate {}, ops()).await.status()
}

async fn wallets_hold<S: Store, const N: usize>(shop: &Shop<S>, expected: [(&str, &str); N]) {
    for (name, amount) in expected {
        assert_eq!(shop.balance(&format!("wallet:{name}")).await, euro(amount), "{name}");
    }
}

on_each_store! {
    async fn by_default_the_seller_has_the_amount_and_the_account_its_fee(shop) {
        let id = shop.paid(bicycle(&shop_account(Vec::new()))).await;
        assert_eq!(released(&shop, id).await, Status::Released);
        wallets_hold(&shop, [("sam", "90.00"), ("shop", "10.00")]).await;
        shop.audit().await;
        shop.verify().await;
    }

    async fn wallets_and_bank_accounts_are_paid_by_one_split(shop) {
        let id = shop.paid(bicycle(&shop_account(mixed()))).await;
        assert_eq!(released(&shop, id).await, Status::PendingRelease);
        // Wallets at once; the bank takes its time.
        wallets_hold(&shop, [("pia", "22.50"), ("sam", "47.50"), ("shop", "10.00")]).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Released);
        let payouts = shop.payouts(id).await;
        let at_the_bank = payouts.iter().filter(|payout| payout.facts().to == bank("ba_workshop"));
        let amounts: Vec<_> = at_the_bank.map(|payout| (payout.status(), payout.facts().amount)).collect();
        assert_eq!(amounts, [(payout::Status::Confirmed, euro("20.00"))]);
        shop.audit().await;
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn an_order_says_otherwise(shop) {
        let mut terms = bicycle(&shop_account(mixed()));
        terms.fees.as_mut().unwrap().own = Some(FeeRule::flat(euro("1.00")).unwrap());
        let id = shop.paid(terms).await;
        let payout = Some(PayoutPlan::to(party("sam"), Destination::Wallet));
        shop.act(id, Command::Accept { payout }, user("sam")).await;
        assert_eq!(shop.act(id, Command::Validate {}, ops()).await.status(), Status::Released);
        wallets_hold(&shop, [("sam", "99.00"), ("shop", "1.00"), ("pia", "0.00")]).await;
        shop.verify().await;
    }

    async fn a_partial_refund_takes_from_each_payee_by_its_share(shop) {
        let id = shop.paid(bicycle(&shop_account(mixed()))).await;
        shop.act(id, Command::Accept { payout: None }, user("sam")).await;
        // Half of the 90 that 20.00, 22.50 and 47.50 were planned of; the fee is the account's all the same.
        shop.act(id, Command::RefundPart { amount: euro("45.00") }, ops()).await;
        shop.act(id, Command::Validate {}, ops()).await;
        wallets_hold(&shop, [("pia", "11.25"), ("sam", "23.75"), ("shop", "10.00")]).await;
        let planned: Vec<_> = shop.payouts(id).await.iter().map(AnyPayout::facts).map(|facts| facts.amount).collect();
        assert!(planned.contains(&euro("10.00")), "{planned:?}");
        shop.audit().await;
    }

    async fn a_plan_that_no_longer_divides_what_is_there_is_made_anew(shop) {
        let id = shop.paid(bicycle(&shop_account(Vec::new()))).await;
        shop.act(id, Command::Accept { payout: None }, user("sam")).await;
        shop.act(id, Command::RefundPart { amount: euro("30.00") }, ops()).await;
        let fixed = |sam, tom| {
            let payee = |name, amount| payee(name, Share::Fixed(euro(amount)), Destination::Wallet);
            PayoutPlan::among([payee("sam", sam), payee("tom", tom)])
        };
        shop.act(id, Command::SetPayout { plan: fixed("20.00", "40.00") }, ops()).await;
        // The refund is called off: there are 90 to divide now.
        let refund = shop.refunds(id).await[0].id();
        let mut unit = shop.begin().await;
        shop.escrow.act_on_refund(&mut unit, refund, refund::Command::Cancel {}, ops()).await.unwrap();
        shop.commit(unit).await;
        let refused = shop.try_act(id, Command::Validate {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::Split(_)))), "{refused:?}");
        let anew = || Command::SetPayout { plan: fixed("50.00", "40.00") };
        let refused = shop.try_act(id, anew(), user("sam")).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::WrongActor { .. }))), "{refused:?}");
        assert_eq!(shop.act(id, anew(), ops()).await.status(), Status::PendingValidate);
        assert_eq!(shop.act(id, Command::Validate {}, ops()).await.status(), Status::Released);
        wallets_hold(&shop, [("sam", "50.00"), ("shop", "10.00"), ("tom", "40.00")]).await;
        shop.audit().await;
    }

    async fn what_does_not_add_up_is_refused_before_money_moves(shop) {
        let too_much = shop_account(vec![payee("workshop", Share::Fixed(euro("90.01")), bank("ba_workshop"))]);
        let mut unit = shop.begin().await;
        let refused = shop.escrow.open_order(&mut unit, bicycle(&too_much), ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::Split(_)))), "{refused:?}");
        drop(unit);

        // What was refunded before anybody accepted: the default does not fit any more, and the seller says what does.
        let id = shop.paid(bicycle(&shop_account(mixed()))).await;
        shop.act(id, Command::RefundPart { amount: euro("75.00") }, ops()).await;
        let refused = shop.try_act(id, Command::Accept { payout: None }, user("sam")).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::Split(_)))), "{refused:?}");
        let payout = Some(PayoutPlan::to(party("sam"), Destination::Wallet));
        shop.act(id, Command::Accept { payout }, user("sam")).await;
        shop.act(id, Command::Validate {}, ops()).await;
        wallets_hold(&shop, [("sam", "15.00"), ("shop", "10.00")]).await;
        shop.audit().await;
    }
}
