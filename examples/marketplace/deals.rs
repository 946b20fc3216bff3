//! Face-to-face deals and transactions: from the file to commands.

use crate::{Outcome, Shop, handle, print, work};
use escrowed::{
    deal::{Award, Side, Sides},
    face_to_face::{self, Charges, FaceToFace, FaceToFaceId},
    money::Money,
    party::{Actor, PartyId},
    payment::Method,
    store::Store,
    text::Prose,
    transaction::{self, Fees, Person, Pricing, Tracking, Transaction, TransactionId},
};
use serde::Deserialize;
use std::time::Duration;

#[derive(Deserialize)]
pub(crate) struct Story {
    pub(crate) story: String,
    opened_by: PartyId,
    #[serde(flatten)]
    deal: Deal,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Deal {
    FaceToFace { deposit: String, charges: Charged },
    Transaction { amount: String, amount_extra: String, description: Prose, fees: FourFees },
}

#[derive(Deserialize)]
struct Charged {
    buyer: String,
    seller: String,
}

#[derive(Deserialize)]
struct FourFees {
    buyer: String,
    buyer_client: String,
    seller: String,
    seller_client: String,
}

#[derive(Deserialize)]
struct Step {
    by: String,
    #[serde(flatten)]
    wish: Wish,
}

/// What a marketplace's own API might take.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Wish {
    Join,
    Pay { with: Method },
    AcceptDeposit,
    SetPrice { price: String },
    ConfirmHandover,
    Complain { what: Prose },
    Award { buyer: String, seller: String },
    AcceptPayment,
    Track { carrier: String, code: String },
    Deliver,
    Wait { hours: u64 },
}

pub(crate) async fn drive(shop: &Shop, story: &Story) -> Outcome<()> {
    match &story.deal {
        Deal::FaceToFace { deposit, charges } => {
            let id = open_face_to_face(shop, &story.opened_by, deposit, charges).await?;
            for step in &story.steps {
                face_to_face_step(shop, id, step).await?;
                work(shop).await?;
            }
            print::deal(shop, id).await
        }
        Deal::Transaction { amount, amount_extra, description, fees } => {
            let money = |text: &String| text.parse::<Money>();
            let fees = Fees {
                buyer: money(&fees.buyer)?,
                buyer_client: money(&fees.buyer_client)?,
                seller: money(&fees.seller)?,
                seller_client: money(&fees.seller_client)?,
            };
            let pricing = Pricing { amount: money(amount)?, amount_extra: money(amount_extra)?, fees };
            let id = open_transaction(shop, &story.opened_by, pricing, description).await?;
            for step in &story.steps {
                transaction_step(shop, id, step).await?;
                work(shop).await?;
            }
            print::deal(shop, id).await
        }
    }
}

async fn open_face_to_face(shop: &Shop, seller: &PartyId, deposit: &str, charges: &Charged) -> Outcome<FaceToFaceId> {
    let sides = Sides::opened_by(seller.clone(), Side::Seller);
    let mut terms = face_to_face::Terms::new(sides, deposit.parse()?, "shop".parse()?, "sandbox".parse()?);
    terms.charges = Some(Charges { buyer: charges.buyer.parse()?, seller: charges.seller.parse()? });
    let mut unit = shop.store().begin().await?;
    let opened = shop.open(&mut unit, FaceToFace::open, terms, Actor::Party(seller.clone())).await?;
    shop.store().commit(unit).await?;
    Ok(opened.id())
}

async fn face_to_face_step(shop: &Shop, id: FaceToFaceId, step: &Step) -> Outcome<()> {
    use face_to_face::Command;
    // The seller has handed the code to the buyer.
    let mut unit = shop.store().begin().await?;
    let code = shop.load(&mut unit, id).await?.facts().terms().join_code.clone();
    drop(unit);
    let command = match &step.wish {
        Wish::Join => Command::Join { code: &code },
        Wish::Pay { with } => Command::Pay { by: with.clone() },
        Wish::AcceptDeposit => Command::AcceptDeposit {},
        Wish::SetPrice { price } => Command::SetPrice { price: price.parse()? },
        Wish::ConfirmHandover => Command::ConfirmHandover {},
        Wish::Complain { what } => Command::Complain { what: what.clone() },
        Wish::Award { buyer, seller } => {
            Command::Award { award: Award { buyer: buyer.parse()?, seller: seller.parse()? } }
        }
        Wish::Wait { hours } => return wait(shop, *hours),
        Wish::AcceptPayment | Wish::Track { .. } | Wish::Deliver => return Err("no step of a face-to-face deal".into()),
    };
    handle(shop, id, command, &step.by).await?;
    Ok(())
}

async fn open_transaction(
    shop: &Shop,
    seller: &PartyId,
    pricing: Pricing,
    description: &Prose,
) -> Outcome<TransactionId> {
    let person = Person::user(seller.clone());
    let (client, gateway) = ("shop".parse()?, "sandbox".parse()?);
    let terms = transaction::Terms::new(Side::Seller, person, pricing, description.clone(), client, gateway);
    let mut unit = shop.store().begin().await?;
    let opened = shop.open(&mut unit, Transaction::open, terms, Actor::Party(seller.clone())).await?;
    shop.store().commit(unit).await?;
    Ok(opened.id())
}

async fn transaction_step(shop: &Shop, id: TransactionId, step: &Step) -> Outcome<()> {
    use transaction::Command;
    let command = match &step.wish {
        Wish::Join => Command::Join {},
        Wish::Pay { with } => Command::OpenPayin { by: with.clone() },
        Wish::AcceptPayment => Command::AcceptPayment {},
        Wish::Track { carrier, code } => {
            Command::Track { tracking: Tracking { carrier: carrier.parse()?, code: code.parse()? } }
        }
        Wish::Deliver => Command::Deliver {},
        Wish::ConfirmHandover => Command::ConfirmHandover {},
        Wish::Wait { hours } => return wait(shop, *hours),
        Wish::AcceptDeposit | Wish::SetPrice { .. } | Wish::Complain { .. } | Wish::Award { .. } => {
            return Err("no step of this transaction".into());
        }
    };
    handle(shop, id, command, &step.by).await?;
    Ok(())
}

fn wait(shop: &Shop, hours: u64) -> Outcome<()> {
    shop.clock().advance(Duration::from_secs(hours * 3600));
    Ok(())
}
