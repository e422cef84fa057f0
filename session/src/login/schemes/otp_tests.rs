//! Codes by email, wrong answers, other addresses, second factors.

use super::*;

const SENT: LoginAnswer =
    LoginAnswer::CodeSent { expires_in: Some(600), resend_available_in: Some(30), request_id: None };

#[test]
fn another_code_may_be_requested_while_the_first_still_works() {
    let (mut otp, _) = Otp::begin();
    typed(&mut otp, "a@b.c");
    otp.resume(SENT);
    typed(&mut otp, "000000");
    otp.resume(LoginAnswer::Rejected(Rejected::Code));
    let call = NextStep::Call(LoginCall::RequestCode { email: "a@b.c".to_owned() });
    assert_eq!(asked_for(&mut otp, "a@b.c"), Some(call));
    let NextStep::Ask(Prompt::Field { field: Field::Code, tries: 4, again, sent: Some(sent) }) =
        otp.resume(LoginAnswer::Limited(9))
    else {
        panic!("{otp:?}")
    };
    assert_eq!((again, sent.to.as_str()), (Some(Error::RateLimited { secs: 9 }), "a@b.c"));
    asked_for(&mut otp, "d@e.f");
    let NextStep::Ask(Prompt::Field { tries: 5, sent: Some(sent), .. }) = otp.resume(SENT) else {
        panic!("{otp:?}")
    };
    assert_eq!((sent.to.as_str(), sent.expires_in), ("d@e.f", Some(600)));
}

#[test]
fn a_code_with_its_address_is_tried_whatever_was_asked() {
    let verify = |email: &str| NextStep::Call(verify_call(email, None));
    let asks = |next, to: &str, left, wrong| {
        let NextStep::Ask(Prompt::Field { field: Field::Code, tries, again, sent: Some(sent) }) = next else {
            panic!("{next:?}")
        };
        assert_eq!((sent.to.as_str(), tries, again), (to, left, Some(wrong)));
        sent.expires_in
    };
    let refused = || LoginAnswer::Rejected(Rejected::Code);
    // At the email question, where no code was asked for.
    let (mut otp, _) = Otp::begin();
    assert_eq!(code_of(&mut otp, "a@b.c", "123456"), Some(verify("a@b.c")));
    assert_eq!(otp.question(), None);
    assert_eq!(otp.clone().resume(LoginAnswer::Limited(9)), NextStep::Fail(Error::RateLimited { secs: 9 }));
    asks(otp.resume(refused()), "a@b.c", 4, Error::Rejected(Rejected::Code));

    let (mut otp, _) = Otp::begin();
    typed(&mut otp, "a@b.c");
    otp.resume(SENT);
    // For the address that was asked about: as the code alone.
    assert_eq!(code_of(&mut otp, "A@b.c", "12 34-56"), Some(verify("a@b.c")));
    assert_eq!(asks(otp.resume(refused()), "a@b.c", 4, Error::Rejected(Rejected::Code)), Some(600));
    // For another one: the question comes back where it could not be tried, and moves on where it was refused.
    assert_eq!(code_of(&mut otp, "d@e.f", "123456"), Some(verify("d@e.f")));
    let limited = Error::RateLimited { secs: 9 };
    assert_eq!(asks(otp.resume(LoginAnswer::Limited(9)), "a@b.c", 4, limited), Some(600));
    code_of(&mut otp, "d@e.f", "123456");
    assert_eq!(asks(otp.resume(refused()), "d@e.f", 3, Error::Rejected(Rejected::Code)), None);
    // Tries are not won by going from one address to the other.
    code_of(&mut otp, "a@b.c", "123456");
    asks(otp.resume(refused()), "a@b.c", 2, Error::Rejected(Rejected::Code));
    code_of(&mut otp, "a@b.c", "123456");
    let tokens = crate::login::schemes::fixtures::grant(None);
    let granted = LoginAnswer::Granted(tokens.clone());
    assert_eq!(otp.resume(granted), NextStep::Finish(Box::new(tokens), None));
    assert_eq!(code_of(&mut otp, "a@b.c", "123456"), None);
}

#[test]
fn a_code_goes_with_the_id_of_its_own_request() {
    let sent = |id: &str| LoginAnswer::CodeSent {
        expires_in: None,
        resend_available_in: None,
        request_id: Some(Secret::new(id)),
    };
    let id_sent = |next| match next {
        Some(NextStep::Call(LoginCall::VerifyCode { email, request_id, .. })) => {
            (email, request_id.map(|id| id.expose().to_owned()))
        }
        next => panic!("{next:?}"),
    };
    let (mut otp, _) = Otp::begin();
    typed(&mut otp, "a@b.c");
    otp.resume(sent("first"));
    let own = |id: &str| ("a@b.c".to_owned(), Some(id.to_owned()));
    assert_eq!(id_sent(code_of(&mut otp.clone(), "A@b.c", "123456")), own("first"));
    assert_eq!(id_sent(code_of(&mut otp.clone(), "d@e.f", "123456")), ("d@e.f".to_owned(), None));
    // A request that fails leaves the first one's code with its id; one that succeeds has its own.
    asked_for(&mut otp, "a@b.c");
    let mut failed = otp.clone();
    failed.resume(LoginAnswer::Limited(9));
    assert_eq!(id_sent(typed(&mut failed, "123456")), own("first"));
    otp.resume(sent("second"));
    assert_eq!(id_sent(typed(&mut otp, "1234 5678 9012 3456")), own("second"));
    otp.resume(LoginAnswer::SecondFactorAsked);
    assert_eq!(id_sent(typed(&mut otp, "654321")), own("second"));
}

#[test]
fn malformed_pairs_of_address_and_code_are_refused() {
    let pair = |email: &str, code: &str| Entry::Code { email: email.to_owned(), code: Secret::new(code) };
    let text = |text: &str| Entry::Text(Secret::new(text));
    for entry in [
        text("a@b.c 123456"),
        pair("a@b.c", "d"),
        pair("a@b.c", "12345"),
        pair("a", "123456"),
        pair("a@b.c", "d@e.f"),
        pair("a@b.c x", "123456"),
    ] {
        let (mut otp, _) = Otp::begin();
        let next = otp.answer(entry.clone());
        assert!(matches!(next, Some(NextStep::Ask(Prompt::Field { tries: 2, .. }))), "{entry:?}");
        typed(&mut otp, "a@b.c");
        otp.resume(SENT);
        let next = otp.answer(entry.clone());
        // The server was not asked.
        assert!(matches!(next, Some(NextStep::Ask(Prompt::Field { tries: 5, .. }))), "{entry:?}");
    }
}

#[test]
fn what_cant_be_the_code_costs_no_try() {
    let (mut otp, _) = Otp::begin();
    typed(&mut otp, "a@b.c");
    otp.resume(SENT);
    for text in ["", " ", "12", "1234567", "nonsense", "x", "y", "z"] {
        let Some(NextStep::Ask(Prompt::Field { tries: 5, again, .. })) = typed(&mut otp, text) else {
            panic!("{text:?}: {otp:?}")
        };
        assert_eq!(again, Some(Error::Rejected(Rejected::NoCode)), "{text:?}");
    }
    for text in ["123 456", "Code: 123456", "\u{1b}[200~123456\u{1b}[201~"] {
        let next = typed(&mut otp.clone(), text);
        assert_eq!(next, Some(NextStep::Call(verify_call("a@b.c", None))), "{text:?}");
    }
}

#[test]
fn an_invalid_address_costs_no_try_at_the_code() {
    let (mut otp, _) = Otp::begin();
    typed(&mut otp, "a@b.c");
    otp.resume(SENT);
    let Some(NextStep::Ask(Prompt::Field { field: Field::Code, tries: 5, again, .. })) =
        asked_for(&mut otp, "a b@c")
    else {
        panic!("{otp:?}")
    };
    assert_eq!(again, Some(Error::Rejected(Rejected::Email)));
}

fn verify_call(email: &str, second_factor: Option<&str>) -> LoginCall {
    let second_factor = second_factor.map(Secret::new);
    let code = Secret::new("123456");
    LoginCall::VerifyCode { email: email.to_owned(), code, request_id: None, second_factor }
}

/// Where a server asks for the second factor of the code that was typed.
fn at_second_factor() -> Otp {
    let (mut otp, _) = Otp::begin();
    typed(&mut otp, "a@b.c");
    otp.resume(SENT);
    typed(&mut otp, "123456");
    let asked = otp.resume(LoginAnswer::SecondFactorAsked);
    let NextStep::Ask(Prompt::Field { field: Field::SecondFactor, tries: 5, again: None, .. }) = asked else {
        panic!("{asked:?}")
    };
    otp
}

#[test]
fn a_second_factor_goes_with_the_same_code() {
    let mut otp = at_second_factor();
    let call = NextStep::Call(verify_call("a@b.c", Some("654321")));
    assert_eq!(typed(&mut otp, " 654 321 "), Some(call));
    let tokens = crate::login::schemes::fixtures::grant(None);
    let granted = LoginAnswer::Granted(tokens.clone());
    assert_eq!(otp.clone().resume(granted), NextStep::Finish(Box::new(tokens), None));
    // The code lapsed meanwhile: another is asked for.
    let again = otp.resume(LoginAnswer::Rejected(Rejected::Code));
    assert!(matches!(again, NextStep::Ask(Prompt::Field { field: Field::Code, tries: 4, .. })));
}

#[test]
fn a_wrong_second_factor_may_be_typed_again() {
    let mut otp = at_second_factor();
    for odd in ["", "12345", "é23456", &"a".repeat(65)] {
        let again = typed(&mut otp, odd);
        let why = Error::Rejected(Rejected::NoSecondFactor);
        let Some(NextStep::Ask(Prompt::Field { tries: 5, again: Some(said), .. })) = again else {
            panic!("{odd:?} cost a try: {again:?}")
        };
        assert_eq!(said, why);
    }
    for left in (1..5).rev() {
        typed(&mut otp, "9d3f-7k2m-q0rs-tvwx");
        let again = otp.resume(LoginAnswer::Rejected(Rejected::SecondFactor));
        assert!(matches!(again, NextStep::Ask(Prompt::Field { tries, .. }) if tries == left));
    }
    typed(&mut otp, "654321");
    let over = NextStep::Fail(Error::Rejected(Rejected::SecondFactor));
    assert_eq!(otp.resume(LoginAnswer::Rejected(Rejected::SecondFactor)), over);
}

#[test]
fn another_code_may_be_requested_at_the_second_factor() {
    let mut otp = at_second_factor();
    let call = NextStep::Call(LoginCall::RequestCode { email: "a@b.c".to_owned() });
    assert_eq!(asked_for(&mut otp, "a@b.c"), Some(call));
    let mut otp = at_second_factor();
    assert_eq!(otp.email(), Some("a@b.c"));
    assert_eq!(code_of(&mut otp, "d@e.f", "123456"), Some(NextStep::Call(verify_call("d@e.f", None))));
}

fn typed(otp: &mut Otp, text: &str) -> Option<NextStep> {
    otp.answer(Entry::Text(Secret::new(text)))
}

fn asked_for(otp: &mut Otp, email: &str) -> Option<NextStep> {
    otp.answer(Entry::Email(email.to_owned()))
}

fn code_of(otp: &mut Otp, email: &str, code: &str) -> Option<NextStep> {
    otp.answer(Entry::Code { email: email.to_owned(), code: Secret::new(code) })
}

#[test]
fn three_bad_addresses_end_it() {
    let (mut otp, _) = Otp::begin();
    assert!(matches!(typed(&mut otp, "no"), Some(NextStep::Ask(Prompt::Field { tries: 2, .. }))));
    assert!(matches!(typed(&mut otp, "a b@c"), Some(NextStep::Ask(Prompt::Field { tries: 1, .. }))));
    assert_eq!(typed(&mut otp, "@"), Some(NextStep::Fail(Error::Rejected(Rejected::Email))));
    assert_eq!(typed(&mut otp, "a@b"), None);
}

#[test]
fn five_refused_codes_or_one_other_error_end_the_login() {
    let (mut otp, _) = Otp::begin();
    typed(&mut otp, "a@b.c");
    assert!(matches!(otp.resume(SENT), NextStep::Ask(Prompt::Field { field: Field::Code, tries: 5, .. })));
    for left in (1..5).rev() {
        assert!(matches!(typed(&mut otp, "12 34-56"), Some(NextStep::Call(LoginCall::VerifyCode { .. }))));
        let next = otp.resume(LoginAnswer::Rejected(Rejected::Code));
        assert!(
            matches!(next, NextStep::Ask(Prompt::Field { field: Field::Code, tries, .. }) if tries == left)
        );
    }
    let mut other = otp.clone();
    typed(&mut otp, "123456");
    assert_eq!(
        otp.resume(LoginAnswer::Rejected(Rejected::Code)),
        NextStep::Fail(Error::Rejected(Rejected::Code))
    );
    typed(&mut other, "123456");
    assert_eq!(other.resume(LoginAnswer::Limited(9)), NextStep::Fail(Error::RateLimited { secs: 9 }));
}
