//! `tenfold chat` with a script instead of a person.

use crate::support::{Home, path, tiny};

fn chat(lines: &str) -> crate::support::Done {
    let (home, model) = (Home::new(), tiny());
    home.with_input(&["chat", &path(&model), "-n", "6", "--temperature", "0"], lines.as_bytes())
}

#[test]
fn a_conversation_runs_to_the_end_of_the_input() {
    let done = chat("Hello\nAnd you?\n/stats\n/bye\n");
    done.assert_code(0);
    assert!(done.out.contains("decode"), "{done:?}");
    assert!(done.out.contains("cached"), "{done:?}");
}

#[test]
fn settings_can_be_changed_and_shown() {
    let done = chat(
        "/set temperature 0.5\n/set seed 3\n/set top_k x\n/set nothing 1\n/system Be brief.\n/show\n",
    );
    done.assert_code(0).assert_says(&["\"x\" is not a number", "no setting nothing"]);
    for fact in ["temperature        0.5", "seed               3", "system             Be brief."] {
        assert!(done.out.contains(fact), "{fact:?} is not in {}", done.out);
    }
}

#[test]
fn unknown_commands_are_told_and_the_chat_goes_on() {
    let done = chat("/fly\n/help\n");
    done.assert_code(0).assert_says(&["/fly"]);
    assert!(done.out.contains("/set NAME VALUE"), "{done:?}");
}
