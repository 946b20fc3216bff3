//! Statements of accounts, parties and orders, as the shop's doings leave them.

use crate::harness::{Shop, account, bank, euro, on_each_store, ops, party, terms, user};
use escrowed::{
    gateway::Verb,
    ledger::{Account, Purpose},
    money::{Currency, Money},
    order::{Command, OrderId, PayoutPlan, Status},
    payment::{Destination, payout},
    sandbox::Behaviour,
    statement::{Holder, Span, Statement, SubjectStatement, of_account, of_party, of_subject},
    store::{Store, Views},
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

async fn ordered<S: Store>(shop: &Shop<S>, id: OrderId, span: Span) -> SubjectStatement {
    let mut unit = shop.begin().await;
    of_subject(&mut unit, id.subject(), span).await.unwrap()
}

/// Counter account, amount and balance of each line.
fn lines(statement: &Statement) -> Vec<(String, String, String)> {
    let text = |line: &escrowed::statement::Line| {
        (line.counter.to_string(), line.amount.to_string(), line.balance.to_string())
    };
    statement.lines().iter().map(text).collect()
}

fn row(counter: &str, amount: &str, balance: &str) -> (String, String, String) {
    (counter.into(), format!("{amount} EUR"), format!("{balance} EUR"))
}

on_each_store! {
    async fn an_order_of_a_hundred_euros_day_by_day(shop) {
        let first = shop.now();
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
        shop.escrow.clock().advance(DAY);
        let second = shop.now();
        shop.act(id, Command::Validate {}, ops()).await;
        shop.escrow.clock().advance(DAY);
        let third = shop.now();
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Released);

        // On the first day anna paid, on the second it was released, on the third the gateway paid sam.
        let day = ordered(&shop, id, Span::new(first, second).unwrap()).await;
        assert_eq!(lines(&day.total()[0]), [row("world:sandbox", "100.00", "100.00")]);
        let day = ordered(&shop, id, Span::new(second, third).unwrap()).await;
        assert_eq!(day.total()[0].opening(), euro("100.00"));
        assert_eq!(lines(&day.total()[0]), [row("wallet:shop", "-10.00", "90.00")]);
        let day = ordered(&shop, id, Span::since(third)).await;
        assert_eq!(lines(&day.total()[0]), [row("world:sandbox", "-90.00", "0.00")]);
        assert_eq!(day.total()[0].of(), &Holder::Subject(id.subject()));

        // Account by account, what moved from one to another is there, too.
        let all = ordered(&shop, id, Span::ALL).await;
        let payout = shop.payouts(id).await[0].id();
        let payin = shop.payin(id).await.id();
        let [own, of_payin, of_payout] = all.accounts() else { panic!("{all:?}") };
        let mut amounts: Vec<_> = own.lines().iter().map(|line| (line.counter.to_string(), line.amount)).collect();
        amounts[1..].sort_by_key(|(counter, _)| counter.starts_with("wallet"));
        let text = |subject| Account::Escrow(subject).to_string();
        let expected = [
            (text(payin.subject()), euro("100.00")),
            (text(payout.subject()), euro("-90.00")),
            ("wallet:shop".into(), euro("-10.00")),
        ];
        assert_eq!(amounts, expected);
        assert_eq!(own.closing(), euro("0.00"));
        let purposes = |of: &Statement| of.lines().iter().map(|line| line.purpose).collect::<Vec<_>>();
        assert_eq!(purposes(of_payin), [Purpose::Payin, Purpose::Collect]);
        assert_eq!(purposes(of_payout), [Purpose::Release, Purpose::Payout]);
        assert_eq!(of_payout.lines()[1].at, third);
    }

    async fn a_party_has_one_statement_per_currency(shop) {
        shop.fill_wallet("bob", euro("30.00")).await;
        let yen = Money::from_minor(500, Currency::JPY);
        shop.fill_wallet("bob", yen).await;
        shop.fill_wallet("bob", euro("12.50")).await;
        let mut unit = shop.begin().await;
        let stated = of_party(&mut unit, &party("bob"), Span::ALL).await.unwrap();
        let closing: Vec<_> = stated.iter().map(Statement::closing).collect();
        assert_eq!(closing, [euro("42.50"), yen]);
        assert_eq!(stated[0].lines().len(), 2);
        assert!(of_party(&mut unit, &party("nobody"), Span::ALL).await.unwrap().is_empty());
    }

    async fn a_payout_that_was_denied_and_replaced_is_in_its_orders_statement(shop) {
        shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason: "closed".parse().unwrap() }]);
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::BlockedRelease);
        let stuck = ordered(&shop, id, Span::ALL).await;
        assert_eq!(stuck.total()[0].closing(), euro("90.00"), "the denied payout still holds it");
        let denied = shop.payouts(id).await[0].id();
        let mut unit = shop.begin().await;
        let replace = payout::Command::Replace { to: Destination::Wallet };
        shop.escrow.act_on_payout(&mut unit, denied, replace, ops()).await.unwrap();
        shop.commit(unit).await;

        let all = ordered(&shop, id, Span::ALL).await;
        assert_eq!(all.accounts().len(), 4, "the order, its payin and both payouts: {all:?}");
        let went: Vec<_> = lines(&all.total()[0]).into_iter().map(|line| (line.0, line.1)).collect();
        assert_eq!(went.last(), Some(&("wallet:sam".into(), "-90.00 EUR".into())));
        assert!(all.total()[0].closing().is_zero());
    }

    async fn what_went_back_is_in_the_statement(shop) {
        let id = shop.paid(terms()).await;
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        let all = ordered(&shop, id, Span::ALL).await;
        let expected = [row("world:sandbox", "100.00", "100.00"), row("world:sandbox", "-100.00", "0.00")];
        assert_eq!(lines(&all.total()[0]), expected);
        let mut unit = shop.begin().await;
        let world = of_account(&mut unit, &account("world:sandbox"), Currency::EUR, Span::ALL).await.unwrap();
        let amounts: Vec<_> = world.lines().iter().map(|line| line.amount.to_string()).collect();
        assert_eq!(amounts, ["-100.00 EUR", "100.00 EUR"], "the other side of the same entries");
    }

    async fn every_account_closes_with_what_it_holds(shop) {
        shop.fill_wallet("bob", euro("30.00")).await;
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
        shop.escrow.clock().advance(DAY);
        let noon = shop.now();
        shop.act(id, Command::Validate {}, ops()).await;
        shop.act(shop.paid(terms()).await, Command::Cancel {}, user("anna")).await;
        shop.send().await;
        let mut unit = shop.begin().await;
        let balances = unit.balances(None, 100).await.unwrap();
        assert!(balances.len() > 8);
        let mut then = 0;
        for balance in balances {
            let (currency, account) = (balance.amount.currency(), balance.account);
            let now = of_account(&mut unit, &account, currency, Span::since(noon)).await.unwrap();
            assert_eq!(now.closing(), balance.amount, "{account}");
            then += now.opening().minor();
        }
        assert_eq!(then, 0, "the books balanced at noon, too");
    }
}
