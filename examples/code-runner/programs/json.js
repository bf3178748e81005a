console.log(JSON.stringify({ sum: Array.from({ length: 100 }, (_, i) => i + 1).reduce((a, b) => a + b) }));
