"""Studio: the editable flow (the draft), the history of its edits, and the pages on which people edit it.

Owns the tables flow, flow_op, flow_pin, flow_break, folder, flow_star, flow_comment and comment_mention. Does not own
published versions and runs (app.runs), nor what a node type is (flows).
"""
