//! Every action in every status by everybody, as the tables of payins and tallies say.

use super::*;
use crate::harness::{block_on, worker};
use escrowed::{
    lifecycle::{Lifecycle, Reason, Table},
    party::{Actor, Role, Stamp},
    payment::payin::Status,
    sandbox::Behaviour,
    sca::{Assurance, ReturnCode},
};

type Cast = [(Actor, Option<Role>); 5];

/// Everybody, and the role they play for one of anna's payins.
fn cast() -> Cast {
    [
        (user("anna"), Some(Role::BUYER)),
        (user("mallory"), None),
        (ops(), Some(Role::PLATFORM)),
        (Actor::Gateway, Some(Role::GATEWAY)),
        (Actor::Clock, Some(Role::CLOCK)),
    ]
}

/// A payin of anna's that asked for a challenge, and is in this status.
async fn in_status<S: Store>(shop: &Shop<S>, status: Status) -> PayinId {
    let id = order(shop, euro("100.00")).await;
    if status == Status::Authorized {
        let at = shop.escrow.stamp(user("anna"));
        let AnyOrder::PendingPublish(pending) = shop.order(id).await else { panic!() };
        let reserving = payin::needing(pending.reserve(&at).unwrap(), party("sam"), payin::Need::Challenge).unwrap();
        let mut unit = shop.begin().await;
        shop.escrow.save(&mut unit, reserving, &at).await.unwrap();
        shop.commit(unit).await;
    } else {
        try_pay(shop, id, Method::Card, anna(Needs::Challenge)).await.unwrap();
    }
    let payin = shop.payin(id).await.id();
    if status == Status::Denied {
        shop.gateway().script_call(&charge(payin), [Behaviour::Decline { reason: "no".parse().unwrap() }]);
    }
    match status {
        Status::Created => {}
        Status::Cancelled => drop(on_payin(shop, payin, payin::Command::Cancel {}, ops()).await.unwrap()),
        Status::Authorized | Status::Confirmed | Status::Denied => {
            shop.escrow.send(&worker(), 10).await.unwrap();
        }
        Status::Refunded => {
            shop.send().await;
            shop.act(id, Command::Cancel {}, ops()).await;
            shop.send().await;
        }
    }
    assert_eq!(shop.load(payin).await.status(), status);
    payin
}

/// Whether the table has a way for this role.
fn has_way(table: &Table, status: usize, action: usize, role: Option<Role>) -> bool {
    let mut ways = table.edges.iter().chain(table.notes);
    role.is_some_and(|role| {
        ways.any(|way| {
            way.action == action && way.from.contains(&status) && way.by.iter().any(|by| by.name == role.name)
        })
    })
}

fn is_for_nobody(reason: &Reason) -> bool {
    matches!(reason, Reason::WrongStatus { .. } | Reason::WrongActor { .. })
}

fn agrees<L: Lifecycle>(told: Result<(), &Reason>, status: usize, action: usize, role: Option<Role>) {
    let legal = has_way(L::TABLE, status, action, role);
    let refused = told.is_err_and(is_for_nobody);
    let (status, action) = (L::TABLE.statuses[status].name, L::TABLE.actions[action]);
    assert_eq!(legal, !refused, "{action} in {status} by {role:?}: {told:?}");
}

/// The commands that are about authentication.
fn commands(payin: PayinId) -> [payin::Command<'static>; 3] {
    let response = escrowed::sca::Response {
        payin: payin.subject(),
        amount: euro("100.00"),
        payee: party("sam"),
        code: ReturnCode::generate(),
    };
    [
        payin::Command::Challenge { direct_link: "https://example.org".parse().unwrap(), until: None },
        payin::Command::ComeBack { response },
        payin::Command::Assure { assurance: Assurance::AUTHENTICATED },
    ]
}

#[test]
fn every_action_on_a_payin_is_as_its_table_says() {
    block_on(async {
        let shop = Shop::memory();
        let mut looked_at = 0;
        for (position, status) in Status::ALL.iter().enumerate() {
            let id = in_status(&shop, *status).await;
            for (actor, role) in cast() {
                let at = Stamp::new(actor, shop.now());
                let payin = shop.load(id).await;
                for (number, action) in payin::Action::ALL.iter().enumerate() {
                    agrees::<AnyPayin>(payin.may(*action, &at).as_ref().copied(), position, number, role);
                    looked_at += 1;
                }
                for command in commands(id) {
                    let action = command.action() as usize;
                    let told = shop.load(id).await.handle(command, &at).map(drop).map_err(|refused| refused.reason);
                    agrees::<AnyPayin>(told.as_ref().copied(), position, action, role);
                }
            }
        }
        assert_eq!(looked_at, 6 * 18 * 5);
    });
}

#[test]
fn every_action_on_a_tally_is_as_its_table_says() {
    block_on(async {
        let shop = Shop::memory();
        let payin = pay(&shop, "10.00", Needs::LowValue).await.unwrap();
        shop.send().await;
        let (paid, id) = (confirmed(&shop, payin).await, tally::id_of(&party("anna"), &"sandbox".parse().unwrap()));
        for (actor, role) in cast() {
            let at = Stamp::new(actor, shop.now());
            let limits = escrowed::sca::Limits::euro().low_value();
            let count = tally::Command::Count { payin: PayinId::generate(at.at), amount: euro("1.00"), limits };
            for command in [count, tally::Command::Reset { passed: tally::Passed::Confirmed(&paid) }] {
                let action = command.action();
                let tally = shop.load(id).await;
                agrees::<AnyTally>(tally.may(action, &at).as_ref().copied(), 0, action as usize, role);
                let told = tally.handle(command, &at).map(drop).map_err(|refused| refused.reason);
                agrees::<AnyTally>(told.as_ref().copied(), 0, action as usize, role);
            }
        }
    });
}
