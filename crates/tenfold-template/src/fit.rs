//! Messages made to fit what a template can do, so that nothing is lost or refused.

use std::borrow::Cow;
use std::mem;

use tenfold_core::{Message, Role};

use crate::probe::Abilities;

/// Messages that the template takes: instructions move into the user's message where it has no place
/// for them, and neighbours of one role become one message where it wants the roles to take turns.
pub(crate) fn fit(messages: &[Message], abilities: Abilities) -> Cow<'_, [Message]> {
    let mut fitted = Cow::Borrowed(messages);
    if needs_folding(messages, abilities) {
        fitted = fold_instructions(messages, abilities).into();
    }
    if !abilities.same_role_twice && fitted.windows(2).any(|pair| can_merge(&pair[0], &pair[1])) {
        fitted = merge_neighbours(&fitted).into();
    }
    fitted
}

fn needs_folding(messages: &[Message], abilities: Abilities) -> bool {
    let is_refused = |(index, message): (usize, &Message)| {
        let is_taken = if index == 0 { abilities.system } else { abilities.late_system };
        message.role == Role::System && !is_taken
    };
    messages.iter().enumerate().any(is_refused)
}

fn fold_instructions(messages: &[Message], abilities: Abilities) -> Vec<Message> {
    let mut folder = Folder { abilities, folded: Vec::new(), pending: String::new() };
    for message in messages {
        match message.role {
            Role::System => folder.instruct(message),
            Role::User => folder.add_user(message),
            Role::Assistant | Role::Tool => {
                folder.flush();
                folder.folded.push(message.clone());
            }
        }
    }
    folder.flush();
    folder.folded
}

struct Folder {
    abilities: Abilities,
    folded: Vec<Message>,
    /// Instructions that wait for the user's next message.
    pending: String,
}

impl Folder {
    fn instruct(&mut self, message: &Message) {
        let is_first = self.folded.is_empty() && self.pending.is_empty();
        match self.folded.as_mut_slice() {
            [] if is_first && self.abilities.system => self.folded.push(message.clone()),
            [_, ..] if self.abilities.late_system => self.folded.push(message.clone()),
            [first] if first.role == Role::System => append(&mut first.content, &message.content),
            _ => append(&mut self.pending, &message.content),
        }
    }

    fn add_user(&mut self, message: &Message) {
        let mut content = mem::take(&mut self.pending);
        append(&mut content, &message.content);
        self.folded.push(Message { content, ..message.clone() });
    }

    /// Instructions that no message of the user follows stand alone.
    fn flush(&mut self) {
        if !self.pending.is_empty() {
            self.folded.push(Message::user(mem::take(&mut self.pending)));
        }
    }
}

fn merge_neighbours(messages: &[Message]) -> Vec<Message> {
    let mut merged: Vec<Message> = Vec::with_capacity(messages.len());
    for message in messages {
        match merged.last_mut() {
            Some(last) if can_merge(last, message) => append(&mut last.content, &message.content),
            _ => merged.push(message.clone()),
        }
    }
    merged
}

/// Calls and results of tools come several in a row, and stay so.
fn can_merge(one: &Message, two: &Message) -> bool {
    let is_plain = |message: &Message| message.tool_calls.is_empty() && message.reasoning.is_none();
    let is_spoken = matches!(one.role, Role::User | Role::Assistant);
    one.role == two.role && is_spoken && is_plain(one) && is_plain(two)
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::ContentForm;

    const NOTHING: Abilities = Abilities {
        content: ContentForm::Text,
        system: false,
        late_system: false,
        same_role_twice: false,
        tools: false,
    };

    fn message(text: &str) -> Message {
        let role = match &text[..1] {
            "s" => Role::System,
            "u" => Role::User,
            "a" => Role::Assistant,
            _ => Role::Tool,
        };
        Message::new(role, text)
    }

    fn fitted(messages: &str, abilities: Abilities) -> String {
        let messages: Vec<Message> = messages.split_whitespace().map(message).collect();
        let fitted = fit(&messages, abilities);
        let text =
            |it: &Message| format!("{}:{}", &it.role.name()[..1], it.content.replace("\n\n", "+"));
        fitted.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn instructions_move_where_there_is_no_place_for_them() {
        let first = Abilities { system: true, ..NOTHING };
        let both = Abilities { late_system: true, ..first };
        let cases = [
            (NOTHING, "s1 u1 a1 u2", "u:s1+u1 a:a1 u:u2"),
            (NOTHING, "s1 s2 u1", "u:s1+s2+u1"),
            (NOTHING, "s1", "u:s1"),
            (NOTHING, "s1 a1 u1", "u:s1 a:a1 u:u1"),
            (NOTHING, "u1 a1 s1 u2", "u:u1 a:a1 u:s1+u2"),
            (NOTHING, "u1 s1", "u:u1+s1"),
            (first, "s1 u1", "s:s1 u:u1"),
            (first, "s1 s2 u1", "s:s1+s2 u:u1"),
            (first, "s1 u1 a1 s2 u2", "s:s1 u:u1 a:a1 u:s2+u2"),
            (first, "u1 a1 s2 u2", "u:u1 a:a1 u:s2+u2"),
            (both, "s1 s2 u1 a1 s3 u2", "s:s1 s:s2 u:u1 a:a1 s:s3 u:u2"),
        ];
        for (abilities, messages, expect) in cases {
            assert_eq!(fitted(messages, abilities), expect, "{messages}");
        }
    }

    #[test]
    fn neighbours_merge_only_where_they_must() {
        let free = Abilities { same_role_twice: true, ..NOTHING };
        assert_eq!(fitted("u1 u2 a1 a2 t1 t2", NOTHING), "u:u1+u2 a:a1+a2 t:t1 t:t2");
        assert_eq!(fitted("u1 u2 a1 a2", free), "u:u1 u:u2 a:a1 a:a2");
        let thought = Message { reasoning: Some("r".into()), ..Message::assistant("a") };
        assert_eq!(fit(&[thought.clone(), thought], NOTHING).len(), 2);
    }

    #[test]
    fn what_fits_is_not_copied() {
        let messages = [Message::user("u"), Message::assistant("a")];
        assert!(matches!(fit(&messages, NOTHING), Cow::Borrowed(_)));
    }

    proptest::proptest! {
        #[test]
        fn no_word_is_lost(
            roles in proptest::collection::vec(0_usize..4, 0..12),
            system: bool,
            late_system: bool,
            same_role_twice: bool,
        ) {
            let abilities = Abilities { system, late_system, same_role_twice, ..NOTHING };
            let words = roles.iter().enumerate().map(|(index, role)| format!("{}{index}", &"suat"[*role..=*role]));
            let words: Vec<String> = words.collect();
            let fitted = fitted(&words.join(" "), abilities);
            let kept: Vec<&str> = fitted.split([' ', '+']).filter_map(|it| it.rsplit(':').next()).collect();
            proptest::prop_assert!(words.iter().all(|word| kept.contains(&word.as_str())), "{fitted}");
        }
    }
}
