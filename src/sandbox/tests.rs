//! What it does without a script, and with one.

use super::*;
use crate::{
    gateway::{Capture, Channel, RefundTo},
    id::Kind,
    sca::{Assurance, Authentication, Binding, Exemption},
};
use futures_lite::future::block_on;
use uuid::Uuid;

pub(super) fn subject(number: u64) -> Subject {
    Subject::new(Kind::new("pi"), Uuid::from_u128(number.into()))
}

pub(super) fn eur(minor: i64) -> Money {
    Money::from_minor(minor, Currency::EUR)
}

pub(super) fn charge(payin: u64, amount: Money, capture: Capture) -> Instruction {
    let authentication = Authentication::ByGateway;
    Instruction::Charge { payin: subject(payin), channel: Channel::Card, amount, capture, authentication }
}

pub(super) fn capture(payin: u64, amount: Money) -> Instruction {
    Instruction::Capture { payin: subject(payin), amount }
}

pub(super) fn void(payin: u64, amount: Money) -> Instruction {
    Instruction::Void { payin: subject(payin), amount }
}

pub(super) fn payout(payout: u64, amount: Money) -> Instruction {
    Instruction::Payout { payout: subject(payout), amount, to: "hers".parse().unwrap() }
}

pub(super) fn refund(refund: u64, payin: u64, amount: Money) -> Instruction {
    let to = RefundTo::Original;
    Instruction::Refund { refund: subject(refund), payin: subject(payin), amount, to }
}

pub(super) fn send(sandbox: &Sandbox, call: &Instruction) -> Result<Outcome, SandboxError> {
    block_on(sandbox.execute(&call.key(), call))
}

pub(super) fn settled(moved: Money) -> Outcome {
    Outcome::Settled { moved }
}

pub(super) fn look_up(sandbox: &Sandbox, call: &Instruction) -> Option<Outcome> {
    block_on(sandbox.lookup(&call.key())).unwrap()
}

/// A sandbox, and a charge of 10.00 EUR that will meet this.
pub(super) fn scripted<const N: usize>(behaviours: [Behaviour; N]) -> (Sandbox, Instruction) {
    let sandbox = Sandbox::new(1);
    sandbox.script(Verb::Charge, behaviours);
    (sandbox, charge(1, eur(1000), Capture::Now))
}

#[test]
fn settles_unless_told_otherwise() {
    let (sandbox, call) = scripted([]);
    assert_eq!(look_up(&sandbox, &call), None);
    for _ in 0..3 {
        assert_eq!(send(&sandbox, &call), Ok(settled(eur(1000))));
    }
    assert_eq!(look_up(&sandbox.clone(), &call), Some(settled(eur(1000))));
    assert_eq!((sandbox.net(Currency::EUR), sandbox.effects(&call.key())), (eur(1000), 1));
    assert_eq!((sandbox.reports(), sandbox.pending(), sandbox.calls()), (vec![], vec![], vec![call.key()]));
    assert_eq!((sandbox.name().as_str(), Sandbox::named("b".parse().unwrap(), 1).name().as_str()), ("sandbox", "b"));
}

#[test]
fn a_declined_call_stays_declined() {
    let reason: crate::text::Prose = "no funds".parse().unwrap();
    let (sandbox, call) = scripted([Behaviour::Decline { reason: reason.clone() }]);
    for _ in 0..2 {
        assert_eq!(send(&sandbox, &call), Ok(Outcome::Declined { reason: reason.clone() }));
    }
    assert_eq!((sandbox.moved(&call.key()), sandbox.effects(&call.key())), (None, 0));
}

#[test]
fn a_pending_call_waits_for_its_resolution() {
    for resolution in [Resolution::Settle, Resolution::Decline { reason: "no".parse().unwrap() }] {
        let (sandbox, call) = scripted([Behaviour::Pend]);
        let Ok(Outcome::Pending { direct_link: Some(link) }) = send(&sandbox, &call) else { panic!("no link") };
        assert_eq!(link.as_str(), format!("https://sandbox.invalid/pay/{}", call.key()));
        assert_eq!((sandbox.pending(), sandbox.net(Currency::EUR)), (vec![call.key()], eur(0)));

        let outcome = sandbox.resolve(&call.key(), resolution.clone()).unwrap();
        assert_eq!(send(&sandbox, &call), Ok(outcome.clone()));
        assert_eq!(sandbox.reports(), [Report { key: call.key(), outcome }]);
        assert_eq!(sandbox.effects(&call.key()), u32::from(resolution == Resolution::Settle));
        assert_eq!(sandbox.resolve(&call.key(), Resolution::Settle), None);
        assert!(sandbox.pending().is_empty() && sandbox.reports().is_empty());
    }
    let (sandbox, call) = (Sandbox::new(1), payout(1, eur(5)));
    sandbox.script(Verb::Payout, [Behaviour::Pend]);
    assert_eq!(send(&sandbox, &call), Ok(Outcome::Pending { direct_link: None }));
    assert_eq!(sandbox.resolve(&payout(2, eur(5)).key(), Resolution::Settle), None);
}

#[test]
fn a_webhook_comes_again_or_first() {
    let (sandbox, call) = scripted([Behaviour::SettleTwice]);
    let report = Report { key: call.key(), outcome: settled(eur(1000)) };
    assert_eq!(send(&sandbox, &call), Ok(report.outcome.clone()));
    assert_eq!((sandbox.reports(), sandbox.effects(&call.key())), (vec![report.clone()], 1));

    let (sandbox, call) = scripted([Behaviour::WebhookFirst]);
    assert_eq!(send(&sandbox, &call), Ok(books::not_yet(&call.key())));
    assert_eq!((sandbox.reports(), sandbox.pending()), (vec![report.clone()], vec![]));
    assert_eq!(look_up(&sandbox, &call), Some(report.outcome));
    assert_eq!(sandbox.resolve(&call.key(), Resolution::Settle), None);
    assert_eq!((sandbox.net(Currency::EUR), sandbox.effects(&call.key())), (eur(1000), 1));
}

fn asking(payin: u64, authentication: Authentication) -> Instruction {
    let (payin, amount) = (subject(payin), eur(1000));
    Instruction::Charge { payin, channel: Channel::Card, amount, capture: Capture::Now, authentication }
}

#[test]
fn what_is_said_of_a_payer_follows_from_what_was_asked() {
    let sandbox = Sandbox::new(1);
    let binding = Binding::to("sam".parse().unwrap());
    let exempt = || Authentication::Exempt { exemption: Exemption::Corporate, binding: binding.clone() };
    let challenge = Behaviour::Challenge { until: None };
    for (number, asked, behaviour, assurance) in [
        (1, Authentication::ByGateway, Behaviour::Settle, None),
        (2, Authentication::ByGateway, challenge.clone(), Some(Assurance::AUTHENTICATED)),
        (3, Authentication::Challenge(binding.clone()), Behaviour::Pend, Some(Assurance::AUTHENTICATED)),
        (4, exempt(), Behaviour::Pend, Some(Assurance::EXEMPT)),
        (5, exempt(), challenge, Some(Assurance::AUTHENTICATED)),
        (6, Authentication::Challenge(binding.clone()), Behaviour::Assure(Assurance::EXEMPT), Some(Assurance::EXEMPT)),
    ] {
        let call = asking(number, asked);
        sandbox.script_call(&call.key(), [behaviour]);
        send(&sandbox, &call).unwrap();
        sandbox.resolve(&call.key(), Resolution::Settle);
        let said = assurance.map_or(settled(eur(1000)), |assurance| Outcome::Assured { moved: eur(1000), assurance });
        assert_eq!(send(&sandbox, &call), Ok(said));
        assert_eq!((sandbox.moved(&call.key()), sandbox.effects(&call.key())), (Some(eur(1000)), 1));
    }
}

#[test]
fn a_challenge_has_a_page_an_end_and_a_response() {
    let (sandbox, binding) = (Sandbox::new(1), Binding::to("sam".parse().unwrap()));
    let call = asking(1, Authentication::Challenge(binding.clone()));
    assert_eq!(sandbox.response(&call.key()), None);
    let until = Some("2026-05-07T15:39:46Z".parse().unwrap());
    sandbox.script(Verb::Charge, [Behaviour::Challenge { until }]);
    let Ok(Outcome::Challenged { direct_link, until: told }) = send(&sandbox, &call) else { panic!("no challenge") };
    assert_eq!((direct_link.as_str(), told), (format!("https://sandbox.invalid/pay/{}", call.key()).as_str(), until));
    assert_eq!((sandbox.pending(), sandbox.net(Currency::EUR)), (vec![call.key()], eur(0)));
    assert_eq!(sandbox.response(&call.key()), Some(binding.response(subject(1), eur(1000))));
    assert_eq!(sandbox.response(&asking(2, Authentication::ByGateway).key()), None);

    let (other, payout) = (Sandbox::new(1), payout(1, eur(5)));
    other.script(Verb::Payout, [Behaviour::Challenge { until }, Behaviour::Assure(Assurance::EXEMPT)]);
    assert_eq!(send(&other, &payout), Ok(Outcome::Pending { direct_link: None }), "nobody is there to challenge");
    assert_eq!(send(&other, &self::payout(2, eur(5))), Ok(settled(eur(5))));
}

#[test]
fn a_wrong_amount_really_moves() {
    for wrong in [eur(999), Money::from_minor(1000, Currency::JPY)] {
        let (sandbox, call) = scripted([Behaviour::WrongAmount(wrong)]);
        assert_eq!(send(&sandbox, &call), Ok(settled(wrong)));
        assert_eq!((sandbox.net(wrong.currency()), sandbox.moved(&call.key())), (wrong, Some(wrong)));
    }
}

#[test]
fn what_went_out_may_come_back_once_and_go_out_again() {
    let sandbox = Sandbox::new(1);
    for call in [charge(1, eur(1000), Capture::Now), refund(10, 1, eur(600)), payout(20, eur(300))] {
        assert_eq!(send(&sandbox, &call), Ok(settled(call.amount())));
    }
    let back = |call: &Instruction| sandbox.send_back(&call.key(), "closed".parse().unwrap());
    for (call, net) in [(refund(10, 1, eur(600)), 700), (payout(20, eur(300)), 1000)] {
        let outcome = Outcome::Returned { moved: call.amount(), reason: "closed".parse().unwrap() };
        assert_eq!((back(&call), sandbox.net(Currency::EUR)), (Some(outcome.clone()), eur(net)));
        assert_eq!(sandbox.reports(), [Report { key: call.key(), outcome: outcome.clone() }]);
        assert_eq!((back(&call), look_up(&sandbox, &call), sandbox.moved(&call.key())), (None, Some(outcome), None));
    }
    // Neither what was taken, nor what never went out.
    assert_eq!((back(&charge(1, eur(1000), Capture::Now)), back(&payout(21, eur(1)))), (None, None));
    assert!(sandbox.reports().is_empty());
    // All of the payin may be refunded again, and no more.
    assert_eq!(send(&sandbox, &refund(11, 1, eur(1000))), Ok(settled(eur(1000))));
    assert!(matches!(send(&sandbox, &refund(12, 1, eur(1))), Ok(Outcome::Declined { .. })));
    assert_eq!(sandbox.net(Currency::EUR), eur(0));
}

#[test]
fn its_futures_may_cross_threads() {
    fn sent<T: Send>(future: T) -> T {
        future
    }
    let (sandbox, call) = scripted([]);
    assert_eq!(block_on(sent(sandbox.execute(&call.key(), &call))), Ok(settled(eur(1000))));
}
