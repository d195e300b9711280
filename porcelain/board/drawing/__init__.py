"""Pictures and coloured text: from views to SVG and HTML, every text in them escaped."""
