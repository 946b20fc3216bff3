//! What holds for every order of an account, unless the order says otherwise.

use super::{Fees, Payee, PayoutPlan, Terms};
use crate::{
    ledger::GatewayName,
    money::{FeePolicy, Money, Share},
    party::PartyId,
    payment::Destination,
    text::Name,
};
use serde::{Deserialize, Serialize};

/// The defaults of a marketplace's account: whose wallet earns the fee, which fee, and how the rest is split
/// (`001_146075c5300aa4f1.txt`, split payments).
///
/// ```
/// use escrowed::money::{FeePolicy, FeeRule, Share};
/// use escrowed::order::{Account, Payee};
/// use escrowed::payment::Destination;
///
/// let mut shop = Account::new("shop".parse()?, "sandbox".parse()?).paying_wallets([]);
/// shop.fees = Some(FeePolicy::new(FeeRule::new("10%".parse()?, "5.00 EUR".parse()?)?, "0.00 EUR".parse()?)?);
///
/// let terms = shop.terms("A bicycle".parse()?, "120.00 EUR".parse()?, "sam".parse()?);
/// assert_eq!(terms.fee()?, "12.00 EUR".parse()?);                             // to the shop's wallet
/// let plan = terms.payout.as_ref().expect("the account says who is paid");
/// assert_eq!(plan.payees()[0].party, "sam".parse()?);
/// assert_eq!(plan.amounts("108.00 EUR".parse()?)?, ["108.00 EUR".parse()?]);  // to sam's
///
/// // 1 % of each order goes to a charity's bank account, the rest to the seller's wallet.
/// let bankaccount_id = "ba_trees".parse()?;
/// let to = Destination::Account { bankaccount_id };
/// let trees = Payee { party: "trees".parse()?, share: Share::Percent("1%".parse()?), to };
/// let terms = shop.paying_wallets([trees]).terms("A bicycle".parse()?, "120.00 EUR".parse()?, "sam".parse()?);
/// let amounts = terms.payout.expect("as above").amounts("108.00 EUR".parse()?)?;
/// assert_eq!(amounts, ["1.08 EUR".parse()?, "106.92 EUR".parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An order overrides the fee by [`Fees::own`], and the split by the plan that its seller accepts with or by
/// [`Terms::payout`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Whose wallet earns the fees.
    pub platform: PartyId,
    /// Through which gateway the payments go.
    pub gateway: GatewayName,
    /// The fee of each order, borne by its seller. Free of charge when left out.
    #[serde(default)]
    pub fees: Option<FeePolicy>,
    /// Who has a share of each order beside its seller, whose wallet gets the rest. The platform's word, so it may name bank
    /// accounts and the platform's own party: see [`PayoutPlan`]. When left out, each seller says who is paid and where to.
    #[serde(default)]
    pub others: Option<Vec<Payee>>,
}

impl Account {
    /// An account that takes no fee, and whose sellers say where their money goes.
    #[must_use]
    pub const fn new(platform: PartyId, gateway: GatewayName) -> Self {
        Self { platform, gateway, fees: None, others: None }
    }

    /// The same, but what is left of each order after the fee and these shares goes into its seller's wallet.
    #[must_use]
    pub fn paying_wallets(self, others: impl IntoIterator<Item = Payee>) -> Self {
        Self { others: Some(others.into_iter().collect()), ..self }
    }

    /// The terms of an order by these defaults. Whether they add up is looked at when it is opened.
    #[must_use]
    pub fn terms(&self, name: Name, amount: Money, seller: PartyId) -> Terms {
        let rest = Payee { party: seller.clone(), share: Share::Rest, to: Destination::Wallet };
        let payout = self.others.as_ref().map(|others| PayoutPlan::among(others.iter().cloned().chain([rest])));
        let mut terms = Terms::new(name, amount, seller, self.platform.clone(), self.gateway.clone());
        terms.fees = self.fees.map(|policy| Fees { policy, own: None });
        terms.payout = payout;
        terms.others = self.others.clone().unwrap_or_default();
        terms
    }
}
