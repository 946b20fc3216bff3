//! What must not compile, and what the compiler says of it.

#[test]
fn what_must_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/compile_fail/a_sound_lifecycle.rs");
    cases.compile_fail("tests/compile_fail/order_*.rs");
    cases.compile_fail("tests/compile_fail/movement_*.rs");
    cases.compile_fail("tests/compile_fail/payin_*.rs");
    cases.compile_fail("tests/compile_fail/kernel_*.rs");
    cases.compile_fail("tests/compile_fail/lifecycle_*.rs");
}
