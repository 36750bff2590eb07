//! Examples that stand in texts are those that are built.

/// The program without the line that tells what it is.
fn body(program: &str) -> &str {
    let (first, body) = program.split_once('\n').unwrap();
    assert!(first.starts_with("//!"), "{first}");
    body
}

#[test]
fn texts_show_the_programs_that_are_built() {
    let stock = body(include_str!("../../examples/stock.rs"));
    let lines = stock.lines().filter(|line| !line.trim().is_empty());
    assert!(lines.count() < 15, "the first action is too long");
    for text in [
        include_str!("../../README.md"),
        include_str!("../../../docs/workers.md"),
    ] {
        assert!(text.contains(&format!("```rust\n{stock}```")), "{text}");
    }
}
