//! Tests of the machine as a table: row and event in, row and effects out.
