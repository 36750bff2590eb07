//! Workers against a server that the test plays. No test waits for a time to pass: they wait for
//! what the worker says, and give it so much time, or so little, in the welcome.

mod admin;
mod calls;
mod ends;
mod fake;
mod logs;
mod streams;
mod tasks;
