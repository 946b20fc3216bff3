//! What a person wants to see of a purchase, and what has to hold of it.

use super::*;

pub async fn print_actions(shop: &Shop, id: PurchaseId, expected: [&[Action]; 4]) -> Outcome<()> {
    let purchase = load(shop, id).await?;
    println!("     {}  {}, where", shop.clock().now(), purchase.status());
    // What only one status knows, only that status can tell.
    if let AnyPurchase::Disputed(disputed) = &purchase {
        println!("       it is disputed: {}", disputed.why());
    }
    let actors =
        [("customer", customer()?), ("provider", provider()?), ("operator", operator()?), ("time", Actor::Clock)];
    for ((name, actor), expected) in actors.into_iter().zip(expected) {
        let actions: Vec<Action> = purchase.actions(&shop.stamp(actor.clone())).collect();
        assert_eq!(actions, expected, "what the {name} may do in {}", purchase.status());
        let names: Vec<&str> = actions.iter().map(|action| action.name()).collect();
        match (purchase.deadline(), names.as_slice()) {
            (Some(deadline), []) if actor == Actor::Clock => println!("       {name} acts at {deadline}"),
            (_, []) => println!("       {name} may do nothing"),
            (_, names) => println!("       {name} may {}", names.join(" or ")),
        }
    }
    Ok(())
}

pub async fn print_path(shop: &Shop, id: PurchaseId, expected: &[(Duration, &str)]) -> Outcome<()> {
    let purchase = load(shop, id).await?;
    let steps = purchase.history().by_time();
    let opened = steps[0].stamp.at;
    let path: Vec<(Timestamp, &str)> = steps.windows(2).map(|pair| (pair[1].stamp.at, published(pair))).collect();
    for (step, (at, name)) in steps[1..].iter().zip(&path) {
        println!("     {at}  {:<20}  {name}", step.code.name());
    }
    let expected: Vec<_> = expected.iter().map(|(after, name)| (opened.plus(*after), *name)).collect();
    assert_eq!(path, expected);
    assert!(TABLE.is_end(purchase.status() as usize), "its story is told to the end");
    assert!(purchase.held().is_zero() && purchase.deadline().is_none());
    Ok(())
}

pub async fn print_money(shop: &Shop, id: PurchaseId, ending: Ending) -> Outcome<()> {
    let mut unit = shop.store().begin().await?;
    let entries = unit.entries(&Account::Escrow(id.subject()), 0, 100).await?;
    for entry in &entries {
        println!("     {:>12}  {:<9}  {} → {}", entry.amount, entry.purpose, kind(&entry.from), kind(&entry.to));
    }
    let purposes: Vec<Purpose> = entries.iter().map(|entry| entry.purpose).collect();
    assert_eq!(purposes, ending.purposes());
    let rows = unit.find(&Query::About(id.subject()), None, 100).await?.rows;
    let mut payments: Vec<String> = rows.iter().map(|row| format!("{} {}", row.lifecycle, row.status)).collect();
    payments.sort();
    println!("     {}\n", payments.join(", "));
    assert_eq!(payments, ending.payments());
    assert!(rows.iter().all(|row| row.held.is_zero()), "no payment holds anything any more");
    Ok(())
}

/// Whose account, without the id.
fn kind(account: &Account) -> String {
    match account {
        Account::Escrow(subject) => format!("escrow:{}_…", subject.kind()),
        Account::World(_) | Account::Wallet(_) | Account::Debt(_) => account.to_string(),
    }
}

pub async fn print_balances(shop: &Shop, paid: i64) -> Outcome<()> {
    let mut unit = shop.store().begin().await?;
    let later = shop.clock().now().plus(10_000 * DAY);
    assert!(unit.find(&Query::DueBy(later), None, 1).await?.rows.is_empty(), "nothing waits for the clock any more");
    let balances: Vec<Balance> = unit.balances(None, 1000).await?;
    println!("Balances:");
    for balance in balances.iter().filter(|balance| !balance.amount.is_zero()) {
        println!("     {:>12}  {}", balance.amount, balance.account);
    }
    for sum in trial_balance(&balances)? {
        println!("Trial balance: {sum} over {} accounts.", balances.len());
        assert!(sum.is_zero(), "the books are out of balance");
    }
    let terms = terms()?;
    let (price, commission) = (terms.price.minor(), terms.commission.minor());
    let provider = unit.balance(&Account::Wallet(terms.provider), Currency::EUR).await?;
    let marketplace = unit.balance(&Account::Wallet(terms.marketplace), Currency::EUR).await?;
    let world = unit.balance(&Account::World(terms.gateway), Currency::EUR).await?;
    assert_eq!(provider.minor(), paid * (price - commission));
    assert_eq!(marketplace.minor(), paid * commission);
    assert_eq!(world.minor(), -paid * price);
    assert_eq!(shop.gateway().net(Currency::EUR), world.checked_neg()?, "the gateway's own books say the same");
    Ok(())
}

pub async fn print_verified(shop: &Shop) -> Outcome<()> {
    let verified = shop.verifier().verify(shop.store(), |difference| println!("{difference}")).await?;
    println!("{} events replayed, {} differences.", verified.events, verified.differences);
    assert_eq!(verified.differences, 0, "the file says what its logs say");
    Ok(())
}
