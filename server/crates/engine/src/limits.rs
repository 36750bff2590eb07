//! How large an execution may grow. Passing a limit fails the execution with a message that names it.

/// Limits of one execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most task executions of one execution.
    pub tasks_max: u32,
    /// Most items of one with-items task.
    pub items_max: u32,
    /// Most levels of sub-workflows.
    pub depth_max: u32,
    /// Most bytes of one input, result, published set or output as JSON text.
    pub data_bytes_max: usize,
    /// How often one action execution is handed out to workers that are lost with it.
    pub deliveries_max: u32,
    /// Steps that one event may cause before the engine asks to be called again, so that one
    /// execution cannot keep the others waiting.
    pub steps_per_event_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tasks_max: 100_000,
            items_max: 100_000,
            depth_max: 50,
            data_bytes_max: 2 << 20,
            deliveries_max: 10,
            steps_per_event_max: 2_000,
        }
    }
}

/// Most bytes of a `state_info`; longer ones are cut.
pub const STATE_INFO_BYTES_MAX: usize = 65_500;

/// Cuts a text at a character border so that it has at most `bytes_max` bytes.
pub fn truncate(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let mut end = bytes_max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
