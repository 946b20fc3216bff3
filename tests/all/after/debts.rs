//! What is owed: paid off, covered, written off.

use super::{chargebacks::debts, charged, owed, tell, wallet};
use crate::harness::{Problem, Shop, account, bank, euro, on_each_store, ops, party, terms, user, worker};
use escrowed::{
    escrow::{Caller, EscrowError},
    lifecycle::Reason,
    order::{Command as OrderCommand, PayoutPlan},
    party::Actor,
    payment::{
        AnyDebt, DebtId,
        debt::{Command, Source, Status},
    },
    statement::{Span, of_account},
    store::{Query, Store},
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// Sam owes €90: of a payment that was charged back after the release.
async fn sam_owes<S: Store>(shop: &Shop<S>) -> DebtId {
    let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
    shop.act(id, OrderCommand::Validate {}, ops()).await;
    shop.send().await;
    let payin = shop.payin(id).await.id();
    tell(shop, &charged(shop, payin, "dp_1", euro("100.00"), euro("0.00"))).await;
    assert_eq!(owed(shop, "sam").await, euro("-90.00"));
    debts(shop, "sam").await[0].id()
}

pub(super) async fn act<S: Store>(
    shop: &Shop<S>,
    id: DebtId,
    command: Command<'_>,
    by: impl Into<Caller>,
) -> Result<AnyDebt, Problem<S>> {
    let mut unit = shop.begin().await;
    let debt = shop.escrow.act_on_debt(&mut unit, id, command, by).await?;
    shop.commit(unit).await;
    Ok(debt)
}

pub(super) async fn recover<S: Store>(shop: &Shop<S>, id: DebtId, by: Actor) -> Result<AnyDebt, Problem<S>> {
    let mut unit = shop.begin().await;
    let debt = shop.escrow.recover(&mut unit, id, by).await?;
    shop.commit(unit).await;
    Ok(debt)
}

/// Whoever is owed it has €100 more, and gives up each of somebody's debts.
pub(crate) async fn write_off<S: Store>(shop: &Shop<S>, name: &str) -> Vec<DebtId> {
    let owed: Vec<_> = debts(shop, name).await.into_iter().filter(AnyDebt::is_owed).collect();
    let mut written_off = Vec::new();
    for debt in owed {
        shop.fill_wallet(&debt.facts().terms().creditor.to_string(), euro("100.00")).await;
        assert_eq!(act(shop, debt.id(), Command::WriteOff {}, ops()).await.unwrap().status(), Status::WrittenOff);
        written_off.push(debt.id());
    }
    written_off
}

on_each_store! {
    async fn it_is_paid_off_each_day_out_of_what_has_arrived(shop) {
        let id = sam_owes(&shop).await;
        shop.fill_wallet("sam", euro("30.00")).await;
        // Not before it is due, and not without anybody's doing.
        shop.escrow.run_due(&worker(), 10).await.unwrap();
        assert_eq!((wallet(&shop, "sam").await, owed(&shop, "sam").await), (euro("30.00"), euro("-90.00")));
        let mut left = vec![];
        for arrives in ["0.00", "0.00", "50.00", "20.00"] {
            if arrives != "0.00" {
                shop.fill_wallet("sam", euro(arrives)).await;
            }
            shop.escrow.clock().advance(DAY);
            shop.escrow.run_due(&worker(), 10).await.unwrap();
            left.push((wallet(&shop, "sam").await, owed(&shop, "sam").await));
        }
        let is = |wallet, owed| (euro(wallet), euro(owed));
        assert_eq!(left, [is("0.00", "-60.00"), is("0.00", "-60.00"), is("0.00", "-10.00"), is("10.00", "0.00")]);
        let debt = shop.load(id).await;
        assert_eq!((debt.status(), debt.deadline(), debt.facts().recovered()), (Status::Paid, None, euro("90.00")));
        // Nothing is left for the clock.
        shop.escrow.clock().advance(DAY);
        assert_eq!(shop.escrow.run_due(&worker(), 10).await.unwrap().taken, 0);
        shop.audit().await;
    }

    async fn it_is_paid_off_at_once_by_a_host_that_asks(shop) {
        let id = sam_owes(&shop).await;
        assert_eq!(recover(&shop, id, ops()).await.unwrap().facts().remains(), euro("90.00"));
        shop.fill_wallet("sam", euro("100.00")).await;
        assert!(recover(&shop, id, user("eve")).await.is_err());
        assert_eq!(recover(&shop, id, ops()).await.unwrap().status(), Status::Paid);
        assert_eq!((wallet(&shop, "sam").await, owed(&shop, "sam").await), (euro("10.00"), euro("0.00")));
        assert_eq!(recover(&shop, id, ops()).await.unwrap().status(), Status::Paid);
        shop.audit().await;
    }

    async fn whoever_owes_it_may_pay_and_nobody_else(shop) {
        let id = sam_owes(&shop).await;
        shop.fill_wallet("sam", euro("50.00")).await;
        let some = |amount: &str| Command::Recover { amount: euro(amount), from: Source::Wallet };
        assert!(matches!(act(&shop, id, some("10.00"), user("eve")).await, Err(EscrowError::Refused(Reason::WrongActor { .. }))));
        act(&shop, id, some("10.00"), user("sam")).await.unwrap();
        assert_eq!((wallet(&shop, "sam").await, owed(&shop, "sam").await), (euro("40.00"), euro("-80.00")));
        for too_much in ["80.00", "80.01"] {
            assert!(matches!(act(&shop, id, some(too_much), user("sam")).await, Err(EscrowError::Refused(Reason::TooMuch { .. }))));
        }
        let all = Command::PayOff { from: Source::Wallet };
        let refused = act(&shop, id, all, user("sam")).await;
        assert!(matches!(refused, Err(EscrowError::Overdrawn(ref purse)) if *purse == account("wallet:sam")), "{refused:?}");
        // What nobody gave cannot pay.
        let given = || Command::PayOff { from: Source::Given(id.subject()) };
        for by in [ops(), user("sam")] {
            assert!(matches!(act(&shop, id, given(), by).await, Err(EscrowError::Refused(Reason::Missing { .. }))));
        }
        // The same request twice is one.
        let key = || user("sam").under("pay-10".parse().unwrap());
        for _ in 0..2 {
            act(&shop, id, some("10.00"), key()).await.unwrap();
        }
        assert_eq!(owed(&shop, "sam").await, euro("-70.00"));
        shop.audit().await;
    }

    async fn what_is_written_off_is_the_platforms_loss(shop) {
        let id = sam_owes(&shop).await;
        assert!(matches!(act(&shop, id, Command::WriteOff {}, user("sam")).await, Err(EscrowError::Refused(Reason::WrongActor { .. }))));
        // Out of its wallet, which must hold it: nobody else's money pays.
        shop.fill_wallet("tom", euro("500.00")).await;
        let refused = act(&shop, id, Command::WriteOff {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Overdrawn(ref purse)) if *purse == account("wallet:shop")), "{refused:?}");
        shop.fill_wallet("shop", euro("100.00")).await;
        let AnyDebt::WrittenOff(debt) = act(&shop, id, Command::WriteOff {}, ops()).await.unwrap() else { panic!() };
        assert_eq!(debt.state().lost(), euro("90.00"));
        assert_eq!((wallet(&shop, "shop").await, owed(&shop, "sam").await), (euro("10.00"), euro("0.00")));
        shop.audit().await;
    }

    async fn what_the_platform_sets_aside_it_has_back_as_the_debt_is_paid(shop) {
        let id = sam_owes(&shop).await;
        assert!(matches!(act(&shop, id, Command::Cover {}, ops()).await, Err(EscrowError::Overdrawn(_))));
        shop.fill_wallet("shop", euro("100.00")).await;
        let covered = act(&shop, id, Command::Cover {}, ops()).await.unwrap();
        assert_eq!((covered.status(), covered.held(), wallet(&shop, "shop").await), (Status::Covered, euro("90.00"), euro("10.00")));
        shop.fill_wallet("sam", euro("40.00")).await;
        let paid = recover(&shop, id, ops()).await.unwrap();
        assert_eq!((paid.held(), wallet(&shop, "shop").await, owed(&shop, "sam").await), (euro("50.00"), euro("50.00"), euro("-50.00")));
        shop.audit().await;
        // Written off, it is what was set aside that is lost.
        act(&shop, id, Command::WriteOff {}, ops()).await.unwrap();
        assert_eq!((wallet(&shop, "shop").await, owed(&shop, "sam").await), (euro("50.00"), euro("0.00")));
        shop.audit().await;
    }

    async fn a_host_sees_who_owes_what(shop) {
        let id = sam_owes(&shop).await;
        let open = Query::status("debt".parse().unwrap(), "OPEN");
        assert_eq!(shop.find(&open).await, [id.subject()]);
        for query in [Query::Party(party("sam")), Query::Party(party("shop"))] {
            assert!(shop.find(&query).await.contains(&id.subject()));
        }
        let mut unit = shop.begin().await;
        let statement = of_account(&mut unit, &account("debt:sam"), euro("0.00").currency(), Span::ALL).await.unwrap();
        assert_eq!(statement.closing(), euro("-90.00"));
    }
}
